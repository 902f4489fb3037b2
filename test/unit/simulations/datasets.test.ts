import type { Labels } from '@fedweave/client/training'
import { describe, expect, test } from 'vitest'
import { ai4i } from '../../../simulations/src/data/ai4i.ts'
import { beijingAir } from '../../../simulations/src/data/beijing-air.ts'
import { creditDefault } from '../../../simulations/src/data/credit-default.ts'
import { heartDisease } from '../../../simulations/src/data/heart-disease.ts'
import { DataLibrary } from '../../../simulations/src/data/library.ts'
import { vowels } from '../../../simulations/src/data/vowel.ts'
import type { Federation, Forecast } from '../../../simulations/src/scenarios/scenario.ts'

const present = process.env.FEDWEAVE_DATA_DIR !== undefined
if (!present) console.warn('\n!!! FEDWEAVE_DATA_DIR is not set: the tests of real data sets are SKIPPED.\n')

function counts(values: Labels, of: number): number[] {
  const found = new Array<number>(of).fill(0)
  for (const value of values) found[value] = (found[value] as number) + 1
  return found
}

function expectSane({ train, test }: Federation): void {
  for (const part of [train, test]) {
    expect(part.xs.length).toBe(part.labels.length * (part.shape[0] as number))
    expect(part.xs.every((value) => Number.isFinite(value) && Math.abs(value) < 40)).toBe(true)
  }
}

describe.skipIf(!present)('the published data', () => {
  const library = new DataLibrary()

  test("heart disease: FLamby's rows, splits and positives", async () => {
    const federation = await heartDisease(library)
    const { train, test, natural } = federation
    expectSane(federation)
    expect(train.shape).toEqual([13])
    expect(counts(natural?.train as Int32Array, 4)).toEqual([199, 172, 30, 85])
    expect(counts(natural?.test as Int32Array, 4)).toEqual([104, 89, 16, 45])
    const positives = (labels: Labels, ids: Int32Array) =>
      counts(
        ids.filter((_, row) => labels[row] === 1),
        4,
      )
    expect(positives(train.labels, natural?.train as Int32Array)).toEqual([91, 65, 30, 66])
    expect(positives(test.labels, natural?.test as Int32Array)).toEqual([48, 33, 15, 35])
    for (let column = 0; column < 13; column++) {
      let [sum, squares] = [0, 0]
      for (let row = 0; row < train.labels.length; row++) {
        const value = train.xs[row * 13 + column] as number
        sum += value
        squares += value ** 2
      }
      expect(sum / train.labels.length).toBeCloseTo(0, 5)
      expect(squares / train.labels.length).toBeCloseTo(1, 5)
    }
  })

  test('credit default: 30,000 card holders, 6,636 of whom default', async () => {
    const federation = await creditDefault(library)
    expectSane(federation)
    expect(counts(federation.train.labels, 2)).toEqual([23_364, 6_636])
  })

  test('predictive maintenance: 339 failures, plants of 6,000, 2,997 and 1,003', async () => {
    const federation = await ai4i(library)
    expectSane(federation)
    expect(counts(federation.train.labels, 2)).toEqual([9_661, 339])
    expect(counts(federation.natural?.train as Int32Array, 3)).toEqual([6_000, 2_997, 1_003])
  })

  test('vowels: each of 15 speakers trains on four times and is tested on two times each of 11 vowels', async () => {
    const federation = await vowels(library)
    expectSane(federation)
    expect(counts(federation.train.labels, 11)).toEqual(new Array(11).fill(60))
    expect(counts(federation.test.labels, 11)).toEqual(new Array(11).fill(30))
    expect(counts(federation.natural?.train as Int32Array, 15)).toEqual(new Array(15).fill(44))
  })

  test('air quality: twelve stations, every third hour, forecasts of 2016 and 2017 for tests only', async () => {
    const federation = await beijingAir(library)
    expectSane(federation)
    const { train, test, natural } = federation
    expect(train.labels.length + test.labels.length).toBeLessThanOrEqual(12 * Math.ceil(35_064 / 3))
    expect(train.labels.length).toBe(96_160)
    expect(test.labels.length).toBe(39_353)
    expect(counts(natural?.train as Int32Array, 12).every((rows) => rows > 7_500)).toBe(true)
    const { forecast, classNames } = federation
    expect(classNames).toHaveLength((forecast?.bounds.length ?? 0) + 1)
    const width = train.shape[0] as number
    for (const column of [
      train.labels as Float32Array,
      ...Array.from({ length: width }, (_, j) => train.xs.filter((_, i) => i % width === j)),
    ]) {
      const mean = column.reduce((sum, value) => sum + value, 0) / column.length
      expect(mean).toBeCloseTo(0, 4)
      expect(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length).toBeCloseTo(1, 4)
    }
    // Aotizhongxin's first forecast: at 0:00 of 2 March 2013, after a day of lags, for 6:00, when the file says 4.
    const micrograms = (label = Number.NaN) => label * (forecast?.deviation ?? 0) + (forecast?.mean ?? 0)
    expect(micrograms(train.labels[0])).toBeCloseTo(4, 4)
    // Persistence says what was measured six hours before, which is two examples back where none is missing.
    const { floor } = forecast as Forecast
    const same = floor.test.filter((label, row) => label === test.labels[row - 2]).length
    expect(same / floor.test.length).toBeGreaterThan(0.9)
    expect(floor.name).toBe('persistence')
  })
})
