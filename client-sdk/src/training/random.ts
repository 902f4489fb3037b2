import { FedweaveError } from '@fedweave/aggregator'

/**
 * Seeded pseudo-random numbers for everything outside cryptography. 32-bit integer arithmetic only, so that every
 * engine draws the same sequence. Not secret: whoever knows the seed knows every number.
 */
export class Random {
  readonly #state: Uint32Array

  /** `seed`: unsigned 32-bit integer. Throws `FL_OUT_OF_RANGE`. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `expected a seed from 0 to 4294967295, got ${seed}`)
    }
    // A Weyl sequence through a bijection: four different words, so never the all-zero state that xoshiro cannot leave.
    this.#state = Uint32Array.from({ length: 4 }, (_, i) => mix(seed + (i + 1) * 0x9e3779b9))
  }

  /** Uniform over 0 to 2^32 - 1. */
  uint32(): number {
    return xoshiro128(this.#state)
  }

  /** Uniform over 0 to `bound` - 1, without modulo bias. `bound`: 1 to 2^32. */
  below(bound: number): number {
    const limit = 0x100000000 - (0x100000000 % bound)
    let drawn = this.uint32()
    while (drawn >= limit) drawn = this.uint32()
    return drawn % bound
  }
}

/** One step of xoshiro128** 1.1 on its four words, in place (Blackman and Vigna 2018, prng.di.unimi.it). */
export function xoshiro128(state: Uint32Array): number {
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  const drawn = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = rotate(d, 11)
  return drawn
}

/** Orders `values` at random, in place: Fisher-Yates (Durstenfeld 1964), every order equally likely. */
export function shuffleInPlace(values: Uint32Array, random: Random): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const moved = values[last] as number
    values[last] = values[other] as number
    values[other] = moved
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** The 32-bit finaliser of MurmurHash3 (Appleby): a bijection in which every input bit reaches every output bit. */
function mix(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
