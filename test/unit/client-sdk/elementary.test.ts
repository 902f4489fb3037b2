import { describe, expect, it } from 'vitest'
import { exp, ln, sinCos } from '../../../client-sdk/src/training/elementary.ts'

/** Largest error over 10,000 points of a range, `Math`'s own of at most one unit in the last place included. */
function worst(from: number, to: number, error: (x: number) => number): number {
  const errors = Array.from({ length: 10_001 }, (_, i) => error(from + ((to - from) * i) / 10_000))
  return Math.max(...errors)
}

describe('exp', () => {
  it('is within two units in the last place over all of its range', () => {
    expect(worst(-708, 0, (x) => Math.abs(exp(x) / Math.exp(x) - 1))).toBeLessThan(2 * Number.EPSILON)
    expect(worst(-1, 0, (x) => Math.abs(exp(x) / Math.exp(x) - 1))).toBeLessThan(2 * Number.EPSILON)
  })

  it('is exact at the ends, and hands NaN on', () => {
    expect([exp(0), exp(-709), exp(Number.NEGATIVE_INFINITY), exp(Number.NaN)]).toEqual([1, 0, 0, Number.NaN])
  })

  it('has these very bits, whatever engine runs it', () => {
    expect([exp(-0.1), exp(-1), exp(-10), exp(-700)]).toEqual([
      0.9048374180359595, 0.36787944117144233, 0.00004539992976248485, 9.859676543759771e-305,
    ])
  })
})

describe('ln', () => {
  it('is within three units in the last place from 1 to the most classes', () => {
    expect(worst(1.0001, 2, (x) => Math.abs(ln(x) / Math.log(x) - 1))).toBeLessThan(3 * Number.EPSILON)
    expect(worst(2, 65_536, (x) => Math.abs(ln(x) / Math.log(x) - 1))).toBeLessThan(3 * Number.EPSILON)
  })

  it('is exact at 1, and hands NaN and infinity on', () => {
    expect([ln(1), ln(Number.NaN), ln(Number.POSITIVE_INFINITY)]).toEqual([0, Number.NaN, Number.POSITIVE_INFINITY])
  })
})

describe('sinCos', () => {
  it('is exact to 1e-14 in a full turn', () => {
    expect(worst(-Math.PI, Math.PI, (x) => Math.abs(sinCos(x).sin - Math.sin(x)))).toBeLessThan(1e-14)
    expect(worst(-Math.PI, Math.PI, (x) => Math.abs(sinCos(x).cos - Math.cos(x)))).toBeLessThan(1e-14)
  })

  it('leaves nothing to turn at 0', () => {
    expect(sinCos(0)).toEqual({ sin: 0, cos: 1 })
  })
})
