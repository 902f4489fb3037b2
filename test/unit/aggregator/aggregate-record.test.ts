import { decodeAggregate, encodeAggregate, nextWeights } from '@fedweave/aggregator'
import { expect, test } from 'vitest'

const mean = { weight: 2 ** 40 + 1, pseudoGradient: Float32Array.of(1, -2.5, 0, 1e-30) }

test('an aggregate comes back as it was, and its bytes are weight, length and little-endian floats', () => {
  const bytes = encodeAggregate(mean)
  expect(decodeAggregate(bytes)).toEqual(mean)
  const floats = new Uint8Array(mean.pseudoGradient.slice().buffer)
  expect([...bytes]).toEqual([0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 16, ...floats])
})

test('a view into a longer array is encoded alone', () => {
  const view = new Float32Array([9, ...mean.pseudoGradient, 9]).subarray(1, 5)
  expect(encodeAggregate({ ...mean, pseudoGradient: view })).toEqual(encodeAggregate(mean))
})

test.each([
  ['cut short', (bytes: Uint8Array) => bytes.subarray(0, -1)],
  ['too long', (bytes: Uint8Array) => Uint8Array.of(...bytes, 0)],
  ['of a broken float', () => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3)],
])('an aggregate that is %s is refused', (_, change) => {
  expect(() => decodeAggregate(change(encodeAggregate(mean)))).toThrow(expect.objectContaining({ code: 'FL_MESSAGE_MALFORMED' }))
})

test('the next weights are the last ones and the mean of the cohorts, as the config combines them', () => {
  const means = [1, 2, 9].map((value) => ({ weight: 1, pseudoGradient: Float32Array.of(value) }))
  expect([...nextWeights({ strategy: { name: 'fedavg' } }, Float32Array.of(10), means)]).toEqual([14])
  expect([...nextWeights({ strategy: { name: 'fedavg', combine: 'median' } }, Float32Array.of(10), means)]).toEqual([12])
})
