import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counters } from '../../../aggregator/src/quantise/counters.ts'

const report = fc.record({
  weight: fc.integer({ min: 1, max: 1000 }),
  loss: fc.double({ min: 0, max: 100, noNaN: true }),
  accuracy: fc.double({ min: 0, max: 1, noNaN: true }),
  clipped: fc.boolean(),
})

test('the decoded sum gives the means of the reports to half a step', () => {
  fc.assert(
    fc.property(fc.array(report, { minLength: 1, maxLength: 30 }), fc.integer({ min: 0, max: 100_000 }), (reports, spare) => {
      const weight = reports.reduce((sum, r) => sum + r.weight, 0)
      const counters = new Counters(weight + spare)
      const sum = new Uint32Array(Counters.words)
      for (const r of reports) for (const [i, word] of counters.encode(r).entries()) sum[i] = (sum[i] as number) + word
      const got = counters.decode(sum, reports.length)
      const mean = (of: (r: (typeof reports)[0]) => number) => reports.reduce((total, r) => total + r.weight * of(r), 0) / weight
      const step = 1 / Math.floor((2 ** 32 - 1) / (weight + spare))
      const lossStep = 1 / Math.floor((2 ** 32 - 1) / (64 * (weight + spare)))
      expect(got.weight).toBe(weight)
      expect(got.clippedFraction).toBe(reports.filter((r) => r.clipped).length / reports.length)
      const float64 = 1e-12 // of the reference
      expect(Math.abs(got.loss - mean((r) => Math.min(r.loss, 64)))).toBeLessThanOrEqual(lossStep / 2 + float64)
      expect(Math.abs(got.accuracy - mean((r) => r.accuracy))).toBeLessThanOrEqual(step / 2 + float64)
    }),
    { seed: 1 },
  )
})
