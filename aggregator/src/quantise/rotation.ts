import { expand, type Prg } from '../crypto/prg.ts'

/** Coordinates that are mixed with each other: 16 KiB, which stays in the first-level cache. */
const LARGEST_TILE = 4096
/** A rotated coordinate may be so many times the tile's norm over sqrt(tile) before it is cut down. */
const DEVIATIONS = 8

/**
 * A random rotation of R^size, the same for all who know `seed`: random signs, then a Walsh-Hadamard transform, tile by
 * tile. Quantising with few bits needs coordinates of like size, but a delta's are not: one may hold its whole norm, and
 * a range that fits it leaves one or two levels for all others. Rotated, each is a sum of a tile's coordinates under
 * random signs, close to normal however the delta looks. Means commute with a rotation, so the server rotates back once.
 * Suresh, Yu, Kumar and McMahan, "Distributed mean estimation with limited communication", ICML 2017, section 3.
 *
 * Tiles lie one after another from coordinate 0. When `size` is no multiple, one more ends at the last coordinate, over
 * part of the tile before it, with signs of its own and after it: nothing is padded, and every coordinate is mixed by a
 * whole tile. A tile has 4096 coordinates, or the largest power of four up to `size`. Bit j % 32 (0 is the lowest) of word
 * floor(j / 32) of the stream of `seed` is the sign of the j-th coordinate in the order of the tiles; 1 is minus.
 *
 * Every sum and difference is rounded to float32 and tiles are scaled by a power of two, in a fixed order: all platforms
 * get the same bits. A rotation keeps the norm, and back again a vector is off by a few 2^-24 of its tile's norm.
 */
export class Rotation {
  readonly size: number
  readonly #tile: number
  /** Where the tiles begin, in the order in which they are mixed. */
  readonly #starts: readonly number[]
  readonly #signs: Uint32Array

  /** `seed`: 32 bytes, known to all and used for nothing else; else throws `FL_OUT_OF_RANGE`. */
  constructor(size: number, seed: Uint8Array, prg: Prg) {
    this.size = size
    this.#tile = tileOf(size)
    const starts = Array.from({ length: Math.floor(size / this.#tile) }, (_, i) => i * this.#tile)
    if (size % this.#tile !== 0) starts.push(size - this.#tile)
    this.#starts = starts
    this.#signs = expand(prg, seed, Math.ceil((starts.length * this.#tile) / 32))
  }

  /** Rotates the `size` coordinates of `vector`. */
  forwardInPlace(vector: Float32Array): void {
    for (const [i, start] of this.#starts.entries()) {
      this.#flip(vector, start, i)
      walshHadamardInPlace(vector, start, this.#tile)
    }
  }

  /** Takes `forwardInPlace` back. */
  inverseInPlace(vector: Float32Array): void {
    for (const [i, start] of [...this.#starts.entries()].reverse()) {
      walshHadamardInPlace(vector, start, this.#tile)
      this.#flip(vector, start, i)
    }
  }

  #flip(vector: Float32Array, start: number, index: number): void {
    const first = index * this.#tile
    for (let i = 0; i < this.#tile; i++) {
      const j = first + i
      if ((((this.#signs[j >>> 5] as number) >>> (j & 31)) & 1) === 1) vector[start + i] = -(vector[start + i] as number)
    }
  }
}

/**
 * Bound for the coordinates of a rotated vector of `size` coordinates and an L2 norm of at most `norm`: an eighth of the
 * norm from 4096 coordinates on, and never more than the norm.
 *
 * That one of them exceeds it, and is cut down, has a probability of at most 2 * size * e^-32, 1e-7 for four million:
 * each is a sum of a tile's coordinates x_i / sqrt(tile) under independent signs, so it exceeds 8 * norm / sqrt(tile) with
 * at most 2 * e^(-8^2 / 2) (Hoeffding 1963, theorem 2), whatever the vector, as long as it does not depend on the signs.
 */
export function rotatedBound(size: number, norm: number): number {
  return norm * Math.min(1, DEVIATIONS / Math.sqrt(tileOf(size)))
}

/** A power of four, so that the square root that scales a tile is a power of two. */
function tileOf(size: number): number {
  let tile = LARGEST_TILE
  while (tile > size) tile /= 4
  return tile
}

/** Multiplies `length` coordinates from `start` on by the symmetric orthonormal matrix H with H_ij = (-1)^popcount(i & j) / sqrt(length). */
function walshHadamardInPlace(vector: Float32Array, start: number, length: number): void {
  const end = start + length
  for (let half = 1; half < length; half *= 2) {
    for (let block = start; block < end; block += 2 * half) {
      for (let i = block; i < block + half; i++) {
        const a = vector[i] as number
        const b = vector[i + half] as number
        vector[i] = a + b
        vector[i + half] = a - b
      }
    }
  }
  const scale = 1 / Math.sqrt(length)
  for (let i = start; i < end; i++) vector[i] = (vector[i] as number) * scale
}
