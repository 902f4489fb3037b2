import { describe, expect, it } from 'vitest'
import { Random, shuffleInPlace, xoshiro128 } from '../../../client-sdk/src/training/random.ts'

describe('Random', () => {
  it('steps as the reference implementation of xoshiro128** 1.1 does from the state 1, 2, 3, 4', () => {
    const state = Uint32Array.of(1, 2, 3, 4)
    const drawn = Array.from({ length: 10 }, () => xoshiro128(state))
    expect(drawn).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804])
  })

  it('fills its state with MurmurHash3 finalised multiples of the golden ratio', () => {
    const mask = 0xffffffffn
    const mix = (word: bigint) => {
      let h = word & mask
      h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask
      h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask
      return Number(h ^ (h >> 16n))
    }
    for (const seed of [0, 42, 0xffffffff]) {
      const state = Uint32Array.from([1n, 2n, 3n, 4n], (i) => mix(BigInt(seed) + i * 0x9e3779b9n))
      const random = new Random(seed)
      const drawn = Array.from({ length: 8 }, () => random.uint32())
      expect(drawn).toEqual(Array.from({ length: 8 }, () => xoshiro128(state)))
    }
  })

  it('takes no seed outside 32 bits', () => {
    for (const seed of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => new Random(seed)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
  })

  it('draws below a bound by rejecting the incomplete last block of 2^32', () => {
    const bound = 3 * 2 ** 30 // a quarter of all words is rejected
    const [bounded, plain] = [new Random(7), new Random(7)]
    const drawn = Array.from({ length: 100 }, () => bounded.below(bound))
    const kept: number[] = []
    while (kept.length < 100) {
      const word = plain.uint32()
      if (word < bound) kept.push(word)
    }
    expect(drawn).toEqual(kept)
  })
})

describe('shuffleInPlace', () => {
  it('gives each of the 24 orders of four values about equally often', () => {
    const random = new Random(1)
    const counts = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const values = Uint32Array.of(0, 1, 2, 3)
      shuffleInPlace(values, random)
      counts.set(values.join(), (counts.get(values.join()) ?? 0) + 1)
    }
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(counts.size).toBe(24)
    expect(chiSquare).toBeLessThan(49.7) // 0.1 % of fair shuffles exceed this at 23 degrees of freedom; the seed is fixed
  })

  it('gives the same order for the same seed', () => {
    const order = (seed: number) => {
      const values = Uint32Array.from({ length: 50 }, (_, i) => i)
      shuffleInPlace(values, new Random(seed))
      return [...values]
    }
    expect(order(3)).toEqual(order(3))
    expect(order(3)).not.toEqual(order(4))
  })
})
