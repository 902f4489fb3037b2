import fc from 'fast-check'
import { expect, test } from 'vitest'
import { combineShares, splitSecret } from '../../../aggregator/src/crypto/shamir.ts'
import { seededEntropy } from '../../../aggregator/src/testing/seeded-entropy.ts'

const settings = fc.integer({ min: 1, max: 40 }).chain((shares) =>
  fc.record({
    threshold: fc.integer({ min: 1, max: shares }),
    order: fc.shuffledSubarray(
      Array.from({ length: shares }, (_, i) => i),
      { minLength: shares },
    ),
    secret: fc.uint8Array({ minLength: 1, maxLength: 70 }),
    seed: fc.string(),
  }),
)

test('any threshold of the shares rebuild the secret, and so do more', () => {
  fc.assert(
    fc.property(settings, ({ threshold, order, secret, seed }) => {
      const shares = splitSecret(secret, order.length, threshold, seededEntropy(seed))
      const held = order.map((i) => ({ x: i + 1, bytes: shares[i] as Uint8Array }))
      expect(combineShares(held.slice(0, threshold))).toEqual(secret)
      expect(combineShares(held)).toEqual(secret)
    }),
    { seed: 1 },
  )
})

test('threshold - 1 shares say nothing: with one more share of any value they rebuild every secret once', () => {
  fc.assert(
    fc.property(settings, ({ threshold, order, secret, seed }) => {
      const shares = splitSecret(secret.subarray(0, 1), order.length, threshold, seededEntropy(seed))
      const held = order.slice(0, threshold - 1).map((i) => ({ x: i + 1, bytes: shares[i] as Uint8Array }))
      const missing = (order[threshold - 1] as number) + 1
      const secrets = Array.from(
        { length: 256 },
        (_, byte) => combineShares([...held, { x: missing, bytes: Uint8Array.of(byte) }])[0],
      )
      expect(new Set(secrets).size).toBe(256)
    }),
    { seed: 2 },
  )
})
