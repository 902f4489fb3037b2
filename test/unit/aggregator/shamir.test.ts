import { describe, expect, test } from 'vitest'
import type { Entropy } from '../../../aggregator/src/core/entropy.ts'
import { combineShares, lagrangeAtZero, splitSecret } from '../../../aggregator/src/crypto/shamir.ts'
import { seededEntropy } from '../../../aggregator/src/testing/seeded-entropy.ts'

/** Multiplication as FIPS 197 section 4.2 defines it, written apart from the code under test. */
function times(a: number, b: number): number {
  let product = 0
  for (let i = 0; i < 8; i++) if ((b >> i) & 1) product ^= a << i
  for (let i = 14; i >= 8; i--) if ((product >> i) & 1) product ^= 0x11b << (i - 8)
  return product
}

const drawing = (bytes: readonly number[]): Entropy => ({
  bytes(length) {
    expect(length).toBe(bytes.length)
    return Uint8Array.from(bytes)
  },
})

describe('splitSecret', () => {
  test('share i is the polynomial of the secret and the drawn coefficients at i + 1', () => {
    const secret = [0x00, 0x57, 0xff]
    const drawn = [0x83, 0x00, 0x01, 0xd4, 0x1b, 0x80] // linear terms, then quadratic ones
    const shares = splitSecret(Uint8Array.from(secret), 255, 3, drawing(drawn))
    expect(shares).toHaveLength(255)
    for (const [i, share] of shares.entries()) {
      const x = i + 1
      const expected = secret.map((byte, b) => byte ^ times(drawn[b] as number, x) ^ times(drawn[3 + b] as number, times(x, x)))
      expect([...share]).toEqual(expected)
    }
  })

  test('a threshold of one gives copies of the secret', () => {
    const secret = Uint8Array.of(1, 2, 3)
    expect(splitSecret(secret, 3, 1, drawing([]))).toEqual([secret, secret, secret])
  })

  test('with a threshold of two every value of a share is consistent with every secret exactly once', () => {
    const points = 3
    const ways = new Uint32Array(points * 256 * 256) // coefficients that give a secret's share at a point a value
    for (let secret = 0; secret < 256; secret++) {
      for (let coefficient = 0; coefficient < 256; coefficient++) {
        const shares = splitSecret(Uint8Array.of(secret), points, 2, { bytes: () => Uint8Array.of(coefficient) })
        for (const [i, share] of shares.entries()) {
          const at = (i * 256 + secret) * 256 + (share[0] as number)
          ways[at] = (ways[at] as number) + 1
        }
      }
    }
    expect(ways.every((count) => count === 1)).toBe(true)
  })

  test('wipes what it drew', () => {
    const drawn = seededEntropy('wipe').bytes(64)
    splitSecret(new Uint8Array(32), 5, 3, { bytes: () => drawn })
    expect(drawn).toEqual(new Uint8Array(64))
  })

  test('leaves the secret as it was', () => {
    const secret = seededEntropy('secret').bytes(33)
    const copy = secret.slice()
    splitSecret(secret, 5, 3, seededEntropy('coefficients'))
    expect(secret).toEqual(copy)
  })

  test.each([
    [3, 0],
    [3, 4],
    [256, 2],
    [0, 0],
    [3.5, 2],
    [3, 1.5],
    [Number.NaN, 1],
  ])('refuses %d shares with a threshold of %d', (shares, threshold) => {
    expect(() => splitSecret(new Uint8Array(1), shares, threshold, seededEntropy(''))).toThrow(
      expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }),
    )
  })
})

describe('lagrangeAtZero', () => {
  test('gives factors that rebuild 1 from ones and 0 from every other power of x', () => {
    const xs = [3, 200, 17, 255, 1]
    const factors = lagrangeAtZero(xs)
    const power = (x: number, k: number): number => (k === 0 ? 1 : times(x, power(x, k - 1)))
    const rebuilt = xs.map((_, k) => xs.reduce((sum, x, i) => sum ^ times(factors[i] as number, power(x, k)), 0))
    expect(rebuilt).toEqual([1, 0, 0, 0, 0])
  })

  test.each([[[]], [[0]], [[1, 0]], [[1, 2, 1]], [[256]], [[-1]], [[1.5]]])('refuses the points %j', (xs: number[]) => {
    expect(() => lagrangeAtZero(xs)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
  })
})

describe('combineShares', () => {
  const secret = seededEntropy('a secret').bytes(32)
  const shares = splitSecret(secret, 255, 136, seededEntropy('its coefficients')).map((bytes, i) => ({ x: i + 1, bytes }))

  test('rebuilds the secret from the largest setting, in any order and with coefficients at hand', () => {
    const chosen = shares.filter(({ x }) => x % 15 < 8).reverse() // 136 of them
    expect(chosen).toHaveLength(136)
    expect(combineShares(chosen)).toEqual(secret)
    expect(combineShares(chosen, lagrangeAtZero(chosen.map(({ x }) => x)))).toEqual(secret)
  })

  test('gives other bytes when one share is wrong in one bit', () => {
    const chosen = shares.slice(0, 136)
    const [first, ...others] = chosen as [(typeof chosen)[0], ...typeof chosen]
    const wrong = { x: first.x, bytes: first.bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)) }
    const rebuilt = combineShares([wrong, ...others])
    expect([...rebuilt.keys()].filter((i) => rebuilt[i] !== secret[i])).toEqual([7])
  })

  test('refuses shares of different lengths, and coefficients for another number of shares', () => {
    const code = expect.objectContaining({ code: 'FL_OUT_OF_RANGE' })
    const share = (x: number, length: number) => ({ x, bytes: new Uint8Array(length) })
    expect(() => combineShares([share(1, 32), share(2, 31)])).toThrow(code)
    expect(() => combineShares([share(1, 32), share(2, 32)], Uint8Array.of(1))).toThrow(code)
    expect(() => combineShares([share(1, 32), share(1, 32)])).toThrow(code)
    expect(() => combineShares([])).toThrow(code)
  })
})
