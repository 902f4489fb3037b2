import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clipL2InPlace } from '../../../aggregator/src/quantise/clip.ts'
import { Quantiser } from '../../../aggregator/src/quantise/quantiser.ts'
import { wasmPrg } from '../../../aggregator/src/wasm/index.ts'

const float = (magnitude: number) => fc.float({ min: -magnitude, max: magnitude, noNaN: true })

const rounds = fc
  .record({ size: fc.integer({ min: 1, max: 40 }), clients: fc.integer({ min: 1, max: 12 }) })
  .chain(({ size, clients }) =>
    fc.record({
      clipBound: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      valueBits: fc.integer({ min: 2, max: 24 }),
      clients: fc.array(
        fc.record({
          weight: fc.integer({ min: 1, max: 20 }),
          delta: fc.float32Array({ minLength: size, maxLength: size, noNaN: true, noDefaultInfinity: true }),
          random: fc.uint32Array({ minLength: size, maxLength: size }),
        }),
        { minLength: clients, maxLength: clients },
      ),
    }),
  )

test('the decoded sum is the weighted mean of the clipped deltas, each coordinate within one quantum', () => {
  fc.assert(
    fc.property(rounds, ({ clipBound, valueBits, clients }) => {
      const totalWeight = clients.reduce((sum, { weight }) => sum + weight, 0)
      const quantiser = new Quantiser({ clipBound, valueBits, totalWeight })
      const sum = new Uint32Array((clients[0] as (typeof clients)[0]).delta.length)
      const exact = new Array<number>(sum.length).fill(0)
      for (const { weight, delta, random } of clients) {
        clipL2InPlace(delta, clipBound)
        const packed = quantiser.ring.pack(quantiser.encode(delta, weight, random))
        const words = quantiser.ring.unpack(packed, delta.length)
        for (let i = 0; i < sum.length; i++) {
          sum[i] = (sum[i] as number) + (words[i] as number)
          exact[i] = (exact[i] as number) + weight * (delta[i] as number)
        }
      }
      const mean = quantiser.decode(sum, totalWeight)
      for (let i = 0; i < sum.length; i++) {
        const expected = (exact[i] as number) / totalWeight
        // Half a float32 step for the result, and float64's for the reference.
        const rounding = Math.abs(mean[i] as number) * 2 ** -24 + clipBound * 2 ** -50
        expect(Math.abs((mean[i] as number) - expected)).toBeLessThan(quantiser.step + rounding)
      }
    }),
    { seed: 1 },
  )
})

test('WebAssembly encodes any finite coordinates to the words that JavaScript does, clipped or not', () => {
  fc.assert(
    fc.property(rounds, ({ clipBound, valueBits, clients }) => {
      const quantiser = new Quantiser({ clipBound, valueBits, totalWeight: 20 })
      for (const { weight, delta, random } of clients) {
        const inside = delta.map((value) => (value / 3.5e38) * clipBound)
        for (const vector of [delta, inside]) {
          const sum = wasmPrg().accumulator(vector.length)
          sum.addWords(random)
          quantiser.encodeInto(sum, vector, weight)
          expect(sum.words).toEqual(quantiser.encode(vector, weight, random))
        }
      }
    }),
    { seed: 4 },
  )
})

test('one client rounds to one of the two quanta around a coordinate, the nearer the likelier', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 24 }),
      float(1),
      fc.integer({ min: 0, max: 0xffffffff }),
      (valueBits, value, random) => {
        const levels = 2 ** (valueBits - 1) - 1
        const quantiser = new Quantiser({ clipBound: 1, valueBits, totalWeight: 1 })
        const quanta = (draw: number) => (quantiser.encode(Float32Array.of(value), 1, Uint32Array.of(draw))[0] as number) | 0
        const exact = value / quantiser.step
        const [low, high, drawn] = [quanta(0), quanta(0xffffffff), quanta(random)]
        expect(Math.abs(low - exact)).toBeLessThanOrEqual(1) // below 1, but 1 - 2^-149 is 1 in float64
        expect(Math.abs(high - exact)).toBeLessThanOrEqual(1)
        expect([low, high]).toContain(drawn)
        expect(Math.max(Math.abs(low), Math.abs(high))).toBeLessThanOrEqual(levels)
        // The draws that round up, those from a threshold on, are the fraction of 2^32 to within one.
        if (high > low) {
          const threshold = Math.round((1 - (exact - low)) * 2 ** 32)
          if (threshold >= 2) expect(quanta(threshold - 2)).toBe(low)
          if (threshold + 1 <= 0xffffffff) expect(quanta(threshold + 1)).toBe(high)
        }
      },
    ),
    { seed: 2, numRuns: 500 },
  )
})

test('a clipped delta is inside the bound in its norm and in every coordinate, and points the same way', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, noDefaultInfinity: true }),
      (bound, delta) => {
        const before = delta.slice()
        const { norm, clipped } = clipL2InPlace(delta, bound)
        expect(Math.sqrt(delta.reduce((sum, value) => sum + value * value, 0))).toBeLessThanOrEqual(bound)
        expect(delta.every((value) => Math.abs(value) <= bound)).toBe(true)
        expect(clipped).toBe(norm > bound)
        if (!clipped) expect(delta).toEqual(before)
        const expected = before.map((value) => (clipped ? value * (bound / norm) : value))
        // 3 * 2^-24: the margin of 2^-23 and the rounding; 2^-149: float32's smallest number.
        for (const [i, value] of delta.entries()) {
          expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(
            Math.abs(expected[i] as number) * 2 ** -22 + 2 ** -149,
          )
        }
      },
    ),
    { seed: 3 },
  )
})
