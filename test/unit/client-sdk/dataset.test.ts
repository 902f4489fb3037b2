import { describe, expect, it } from 'vitest'
import { checkDataset } from '../../../client-sdk/src/training/dataset.ts'
import type { LocalDataset } from '../../../client-sdk/src/training/trainer.ts'

const model = { topology: '', inputShape: [2, 1], classes: 3, tensors: [] }
const good: LocalDataset = { xs: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 1], labels: Int32Array.of(0, 2, 1) }

describe('checkDataset', () => {
  it('takes a data set that fits the model', () => {
    expect(() => checkDataset(good, model)).not.toThrow()
  })

  it.each<[string, Partial<LocalDataset>, string]>([
    ['another shape', { shape: [1, 2] }, 'expected examples of the shape [2, 1], got [1, 2]'],
    ['another rank', { shape: [2] }, 'expected examples of the shape [2, 1], got [2]'],
    ['no examples', { xs: new Float32Array(0), labels: new Int32Array(0) }, 'expected at least one example, got none'],
    ['values missing', { xs: new Float32Array(5) }, 'expected 6 values for 3 examples of [2, 1], got 5'],
    ['a label too large', { labels: Int32Array.of(0, 3, 1) }, 'row 1: expected a label from 0 to 2, got 3'],
    ['a negative label', { labels: Int32Array.of(0, 2, -1) }, 'row 2: expected a label from 0 to 2, got -1'],
    ['numbers as labels', { labels: Float32Array.of(0, 2, 1) }, 'expected classes as labels, an Int32Array, for 3 outputs'],
  ])('says what it expected and got: %s', (_, change, message) => {
    expect(() => checkDataset({ ...good, ...change }, model)).toThrow(
      expect.objectContaining({ code: 'FL_DATASET_SHAPE', message }),
    )
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('names the row that holds %d', (value) => {
    const xs = Float32Array.of(1, 2, 3, 4, 5, value)
    const message = `row 2 of the data set holds ${value}`
    expect(() => checkDataset({ ...good, xs }, model)).toThrow(expect.objectContaining({ code: 'FL_NON_FINITE', message }))
  })

  describe('for a regressor', () => {
    const regressor = { ...model, classes: 1 }
    const numbers = { ...good, labels: Float32Array.of(-1.5, 0, 1e6) }

    it('takes any finite numbers as labels', () => {
      expect(() => checkDataset(numbers, regressor)).not.toThrow()
    })

    it('refuses classes, and names the row whose label is no number', () => {
      const message = 'expected numbers as labels, a Float32Array, for a model of one output'
      expect(() => checkDataset(good, regressor)).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE', message }))
      for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
        const labels = Float32Array.of(0, value, 0)
        expect(() => checkDataset({ ...numbers, labels }, regressor)).toThrow(
          expect.objectContaining({ code: 'FL_NON_FINITE', message: `the label of row 1 is ${value}` }),
        )
      }
    })
  })
})
