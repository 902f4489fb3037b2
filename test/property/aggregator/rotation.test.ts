import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { Rotation } from '../../../aggregator/src/quantise/rotation.ts'

/** Mostly small values with a few of any size, as deltas have. */
const vectors = fc
  .tuple(
    fc.integer({ min: 1, max: 10_000 }),
    fc.array(fc.tuple(fc.nat(), fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }))),
  )
  .map(([size, peaks]) => {
    const vector = Float32Array.from({ length: size }, (_, i) => Math.sin(i * i) / 100)
    for (const [at, value] of peaks) vector[at % size] = value
    return vector
  })

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const norm = (vector: Float32Array) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))

test('a vector keeps its norm, and the inverse gives it back to within 2^-20 of that', () => {
  fc.assert(
    fc.property(vectors, seeds, (vector, seed) => {
      const rotation = new Rotation(vector.length, seed, noblePrg)
      const rotated = vector.slice()
      rotation.forwardInPlace(rotated)
      expect(Math.abs(norm(rotated) - norm(vector))).toBeLessThanOrEqual(2 ** -20 * norm(vector))
      rotation.inverseInPlace(rotated)
      const error = rotated.map((value, i) => value - (vector[i] as number))
      expect(norm(error)).toBeLessThanOrEqual(2 ** -20 * norm(vector))
    }),
  )
})

test('the mean of rotated vectors, rotated back, is the mean of the vectors', () => {
  fc.assert(
    fc.property(vectors, seeds, (vector, seed) => {
      const rotation = new Rotation(vector.length, seed, noblePrg)
      const other = vector.map((value, i) => Math.cos(i) - value / 2)
      const expected = vector.map((value, i) => (value + (other[i] as number)) / 2)
      const scale = norm(vector) + norm(other)
      rotation.forwardInPlace(vector)
      rotation.forwardInPlace(other)
      const mean = vector.map((value, i) => (value + (other[i] as number)) / 2)
      rotation.inverseInPlace(mean)
      expect(norm(mean.map((value, i) => value - (expected[i] as number)))).toBeLessThanOrEqual(2 ** -20 * scale)
    }),
  )
})
