import { describe, expect, test } from 'vitest'
import { toHex } from '../../../aggregator/src/core/bytes.ts'
import { sha256 } from '../../../aggregator/src/crypto/kdf.ts'
import { expand } from '../../../aggregator/src/crypto/prg.ts'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { Rotation, rotatedBound } from '../../../aggregator/src/quantise/rotation.ts'

const SEED = Uint8Array.from({ length: 32 }, (_, i) => i)
const rotationOf = (size: number, seed = SEED) => new Rotation(size, seed, noblePrg)
const seedOf = (number: number) => new Uint8Array(32).fill(number)

/** The rotation as its definition puts it: one matrix-vector product a tile, in float64. */
function byMatrix(vector: Float32Array, starts: readonly number[], tile: number): number[] {
  const words = expand(noblePrg, SEED, Math.ceil((starts.length * tile) / 32))
  const out = [...vector]
  for (const [t, start] of starts.entries()) {
    const signed = out.slice(start, start + tile).map((value, i) => {
      const j = t * tile + i
      return ((words[j >>> 5] as number) >>> (j & 31)) & 1 ? -value : value
    })
    for (let i = 0; i < tile; i++) {
      const sum = signed.reduce((total, value, j) => total + (ones(i & j) % 2 === 0 ? value : -value), 0)
      out[start + i] = sum / Math.sqrt(tile)
    }
  }
  return out
}

function ones(bits: number): number {
  return bits.toString(2).replaceAll('0', '').length
}

describe('the rotation is the matrix of its definition, exactly on small whole numbers', () => {
  test.each([
    [1, [0], 1],
    [3, [0, 1, 2], 1],
    [4, [0], 4],
    [7, [0, 3], 4],
    [16, [0], 16],
    [50, [0, 16, 32, 34], 16],
    [256, [0], 256],
    [300, [0, 44], 256],
  ])('%i coordinates: tiles at %j of %i', (size, starts, tile) => {
    const vector = Float32Array.from({ length: size }, (_, i) => ((i * 37) % 11) - 5)
    const expected = byMatrix(vector, starts, tile)
    rotationOf(size).forwardInPlace(vector)
    expect([...vector]).toEqual(expected)
  })
})

test('its bits are those of an independent implementation in numpy: 5000 coordinates, two overlapping tiles', () => {
  const vector = Float32Array.from({ length: 5000 }, (_, i) => (((i * i * 7 + i * 13) % 1009) - 504) / 3)
  rotationOf(5000).forwardInPlace(vector)
  expect(toHex(sha256(new Uint8Array(vector.buffer)))).toBe('4120df4071a20b6aa1f564e696047ef0fe2d1b1e3a5e6e6c17aad5cc63623698')
})

test('a norm that lies in one coordinate is spread evenly over its tile', () => {
  const vector = new Float32Array(4096)
  vector[1234] = 1
  rotationOf(4096).forwardInPlace(vector)
  expect(new Set(vector.map(Math.abs))).toEqual(new Set([1 / 64]))
})

test('another seed is another rotation, and the same seed the same', () => {
  const rotated = [1, 1, 2].map((number) => {
    const vector = Float32Array.from({ length: 64 }, (_, i) => i)
    rotationOf(64, seedOf(number)).forwardInPlace(vector)
    return vector
  })
  expect(rotated[0]).toEqual(rotated[1])
  expect(rotated[0]).not.toEqual(rotated[2])
})

test('a seed has 32 bytes', () => {
  expect(() => rotationOf(16, new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
})

describe('the bound of a rotated coordinate', () => {
  test.each([
    [1, 3],
    [64, 3],
    [255, 3],
    [256, 1.5],
    [1023, 1.5],
    [1024, 0.75],
    [4095, 0.75],
    [4096, 0.375],
    [1_000_000, 0.375],
  ])('of %i coordinates of norm 3 is %d', (size, bound) => {
    expect(rotatedBound(size, 3)).toBe(bound)
  })

  test('holds for the flattest and the steepest vectors under a hundred seeds', () => {
    const size = 10_000
    const shapes = [(i: number) => (i < 4096 ? 1 / 64 : 0), () => 1 / 100, (i: number) => (i === 7000 ? 1 : 0)]
    for (let number = 0; number < 100; number++) {
      const rotation = rotationOf(size, seedOf(number))
      for (const shape of shapes) {
        const vector = Float32Array.from({ length: size }, (_, i) => shape(i))
        rotation.forwardInPlace(vector)
        expect(vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(rotatedBound(size, 1))
      }
    }
  })
})
