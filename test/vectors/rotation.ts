import { hash, noblePrg } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { Rotation, rotatedBound } from '../../aggregator/src/quantise/rotation.ts'
import { hexed } from './hex.ts'
import { context, SEED } from './world.ts'

/** A single coordinate, one tile, and tiles of 4 and 16 of which the last overlaps the one before. */
const SIZES = [1, 4, 7, 37]

/** JSON knows no -0. */
const plain = (vector: Float32Array) => Array.from(vector, (x) => x + 0)

export function rotationVectors() {
  const entropy = seededEntropy(`${SEED}/rotation`)
  const seed = hash('fw1/rotation', context)
  return {
    context: hexed(context),
    seed: hexed(seed),
    bounds: [1, 3, 16, 1000, 4096, 1_000_000].map((size) => ({ size, norm: 10, bound: rotatedBound(size, 10) })),
    rotations: SIZES.map((size) => {
      const delta = Float32Array.from(entropy.bytes(size), (byte) => (byte - 128) / 64)
      const rotated = delta.slice()
      const rotation = new Rotation(size, seed, noblePrg)
      rotation.forwardInPlace(rotated)
      const restored = rotated.slice()
      rotation.inverseInPlace(restored)
      return { delta: [...delta], rotated: plain(rotated), restored: plain(restored) }
    }),
  }
}
