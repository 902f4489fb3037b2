import { expect, test } from 'vitest'
import { Counters } from '../../../aggregator/src/quantise/counters.ts'

const sumOf = (...terms: Uint32Array[]) =>
  new Uint32Array(Counters.words).map((_, i) => terms.reduce((sum, term) => sum + (term[i] as number), 0))

test('the words are weight, weighted loss, weighted accuracy and the clipped bit', () => {
  const counters = new Counters(3) // floor((2^32 - 1) / 192) = 22369621 steps a loss of 1, (2^32 - 1) / 3 an accuracy of 1
  expect(counters.encode({ weight: 2, loss: 0.5, accuracy: 1, clipped: true })).toEqual(
    Uint32Array.of(2, 2 * 11184811, 2 * 1431655765, 1), // 11184810.5 is rounded up
  )
  expect(counters.encode({ weight: 1, loss: 0, accuracy: 0, clipped: false })).toEqual(Uint32Array.of(1, 0, 0, 0))
})

test('decodes means weighted by weight, and clipped clients by number', () => {
  const counters = new Counters(10)
  const sum = sumOf(
    counters.encode({ weight: 6, loss: 2, accuracy: 0.5, clipped: true }),
    counters.encode({ weight: 2, loss: 4, accuracy: 1, clipped: false }),
  )
  const { weight, loss, accuracy, clippedFraction } = counters.decode(sum, 2)
  expect([weight, clippedFraction]).toEqual([8, 0.5])
  expect(Math.abs(loss - 2.5)).toBeLessThanOrEqual(0.5 / Math.floor((2 ** 32 - 1) / 640))
  expect(Math.abs(accuracy - 0.625)).toBeLessThanOrEqual(0.5 / Math.floor((2 ** 32 - 1) / 10))
})

test('no sum wraps, whatever losses are reported', () => {
  for (const totalWeight of [1, 2, 3, 7, 100, 9999, 2 ** 20, 2 ** 26 - 1]) {
    const counters = new Counters(totalWeight)
    for (const loss of [64, 65, 1e300]) {
      const all = counters.encode({ weight: totalWeight, loss, accuracy: 1, clipped: true })
      expect(counters.decode(all, 1)).toEqual({ weight: totalWeight, loss: 64, accuracy: 1, clippedFraction: 1 })
    }
  }
})

test('a negative loss counts as none', () => {
  const counters = new Counters(5)
  expect(counters.encode({ weight: 1, loss: -3, accuracy: 0, clipped: false })[1]).toBe(0)
})

test('refuses what cannot be counted', () => {
  const counters = new Counters(5)
  const report = { weight: 1, loss: 1, accuracy: 0.5, clipped: false }
  for (const loss of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => counters.encode({ ...report, loss })).toThrow(expect.objectContaining({ code: 'FL_NON_FINITE' }))
  }
  for (const change of [
    { weight: 0 },
    { weight: 6 },
    { weight: 1.5 },
    { accuracy: -0.1 },
    { accuracy: 1.1 },
    { accuracy: Number.NaN },
  ]) {
    expect(() => counters.encode({ ...report, ...change })).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
  }
})

test('refuses sums that no clients can have sent', () => {
  const counters = new Counters(10)
  const fine = sumOf(counters.encode({ weight: 3, loss: 1, accuracy: 1, clipped: true }))
  const changed = (index: number, word: number) => fine.map((value, i) => (i === index ? word : value))
  expect(counters.decode(fine, 1).weight).toBe(3)
  for (const [sum, clients] of [
    [changed(0, 0), 1],
    [changed(0, 11), 1],
    [changed(1, 0xffffffff), 1],
    [changed(2, 0xffffffff), 1],
    [changed(3, 2), 1],
    [fine, 4],
    [fine, 0],
    [fine.subarray(0, 3), 1],
  ] as const) {
    expect(() => counters.decode(sum, clients)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
  }
})

test.each([0, 1.5, 2 ** 26, Number.NaN])('refuses a total weight of %d', (totalWeight) => {
  expect(() => new Counters(totalWeight)).toThrow(expect.objectContaining({ code: 'FL_CONFIG_INVALID' }))
})
