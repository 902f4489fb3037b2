import { expect, test } from 'vitest'
import { clipL2InPlace } from '../../../aggregator/src/quantise/clip.ts'

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

test('leaves a delta inside or on the bound as it is', () => {
  const delta = Float32Array.of(3, -4)
  expect(clipL2InPlace(delta, 5)).toEqual({ norm: 5, clipped: false })
  expect(clipL2InPlace(delta, 6)).toEqual({ norm: 5, clipped: false })
  expect(delta).toEqual(Float32Array.of(3, -4))
})

test('scales a delta outside onto the bound, to the precision of float32', () => {
  const delta = Float32Array.of(3, -4)
  expect(clipL2InPlace(delta, 1)).toEqual({ norm: 5, clipped: true })
  expect(delta[0]).toBeCloseTo(0.6, 6)
  expect(delta[1]).toBeCloseTo(-0.8, 6)
})

test('a single coordinate stays inside a bound that float32 would round up', () => {
  for (const bound of [0.1, 0.3, 0.7, 1 / 3, 2.3]) {
    for (const value of [5, -5, Math.fround(bound) + 1e-6, 3e38]) {
      const delta = Float32Array.of(0, value)
      clipL2InPlace(delta, bound)
      expect(Math.abs(delta[1] as number)).toBeLessThanOrEqual(bound)
    }
  }
})

test('the clipped norm is inside the bound, so that clipping again changes nothing', () => {
  const delta = Float32Array.from({ length: 10_000 }, (_, i) => Math.sin(i))
  clipL2InPlace(delta, 0.1)
  const once = delta.slice()
  expect(norm(delta)).toBeLessThanOrEqual(0.1)
  expect(clipL2InPlace(delta, 0.1).clipped).toBe(false)
  expect(delta).toEqual(once)
})

test('measures norms whose squares float32 cannot hold', () => {
  expect(clipL2InPlace(Float32Array.of(2 ** 100, 0), 1)).toEqual({ norm: 2 ** 100, clipped: true })
  expect(clipL2InPlace(Float32Array.of(2 ** -140), 1)).toEqual({ norm: 2 ** -140, clipped: false })
  expect(clipL2InPlace(new Float32Array(0), 1)).toEqual({ norm: 0, clipped: false })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'names the coordinate that is %d and changes nothing',
  (value) => {
    const delta = Float32Array.of(7, value, 1)
    expect(() => clipL2InPlace(delta, 1)).toThrow(
      expect.objectContaining({ code: 'FL_NON_FINITE', message: `delta[1] is ${value}` }),
    )
    expect(delta).toEqual(Float32Array.of(7, value, 1))
  },
)

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-31])('refuses the bound %d', (bound) => {
  expect(() => clipL2InPlace(Float32Array.of(1), bound)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
})
