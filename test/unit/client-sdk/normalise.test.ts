import type { TrainingPlan } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import { normaliser } from '../../../client-sdk/src/training/normalise.ts'
import type { LocalDataset } from '../../../client-sdk/src/training/trainer.ts'

/** Three examples of two places with two channels each; the last example is far off the others. */
const dataset: LocalDataset = {
  xs: Float32Array.of(1, 10, 3, 30, 5, 10, 7, 30, 1000, -1000, 1000, -1000),
  shape: [2, 2],
  labels: Int32Array.of(0, 1, 0),
}

function applied(normalise: NonNullable<TrainingPlan['normalise']>, rows: number[], example: number[]): number[] {
  const values = Float32Array.from(example)
  normaliser(dataset, Uint32Array.from(rows), { normalise })?.(values)
  return [...values]
}

describe('normaliser', () => {
  it('does nothing where the plan asks for nothing', () => {
    expect(normaliser(dataset, Uint32Array.of(0), {})).toBeUndefined()
  })

  it('takes mean and deviation of each channel from the given rows alone', () => {
    // Channel 0 of rows 0 and 1: 1, 3, 5, 7; mean 4, variance 5. Channel 1: 10, 30, 10, 30; mean 20, variance 100.
    const [a, b, c, d] = applied({}, [0, 1], [4, 20, 9, 30]) as [number, number, number, number]
    expect([a, b, d]).toEqual([0, 0, 1])
    expect(c).toBeCloseTo(5 / Math.sqrt(5), 6)
  })

  it('gives those rows mean 0 and deviation 1', () => {
    const all = [0, 1, 2].flatMap((row) => applied({}, [0, 1, 2], [...dataset.xs.subarray(4 * row, 4 * row + 4)]))
    for (const channel of [0, 1]) {
      const values = all.filter((_, i) => i % 2 === channel)
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length
      expect(mean).toBeCloseTo(0, 6)
      expect(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length).toBeCloseTo(1, 6)
    }
  })

  it('makes a constant channel 0', () => {
    const constant: LocalDataset = { xs: Float32Array.of(7, 7), shape: [1], labels: Int32Array.of(0, 1) }
    const values = Float32Array.of(7)
    normaliser(constant, Uint32Array.of(0, 1), { normalise: {} })?.(values)
    expect([...values]).toEqual([0])
  })

  it('takes the numbers of the plan, one for each channel or one for all', () => {
    expect(applied({ mean: [1, 10], std: [2, 5] }, [0], [3, 20, 5, 0])).toEqual([1, 2, 2, -2])
    expect(applied({ mean: [1], std: [2] }, [0], [3, 21, 5, 1])).toEqual([1, 10, 2, 0])
  })

  it('refuses lists that do not fit', () => {
    for (const normalise of [
      { mean: [1, 2, 3], std: [1, 2, 3] },
      { mean: [1, 2], std: [1] },
    ]) {
      expect(() => applied(normalise, [0], [0, 0, 0, 0])).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
  })
})
