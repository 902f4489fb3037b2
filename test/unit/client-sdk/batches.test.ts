import type { TrainingPlan } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import { batches, stepsOf } from '../../../client-sdk/src/training/batches.ts'
import { Random } from '../../../client-sdk/src/training/random.ts'

const rows = 10
const dataset = {
  xs: Float32Array.from({ length: rows * 2 }, (_, i) => i),
  shape: [2],
  labels: Int32Array.from({ length: rows }, (_, row) => row),
}
const plan: TrainingPlan = { epochs: 3, batchSize: 4, optimizer: 'sgd', learningRate: 0.1 }

function labelsOf(changed: Partial<TrainingPlan>, seed = 1): number[][] {
  return Array.from(batches(dataset, { ...plan, ...changed }, new Random(seed)), ({ xs, labels }) => {
    expect([...xs]).toEqual([...labels].flatMap((row) => [2 * row, 2 * row + 1])) // each row with its own label
    return [...labels]
  })
}

describe('batches', () => {
  it('pass over every example once an epoch, the partial last batch included', () => {
    const drawn = labelsOf({})
    expect(drawn.map((batch) => batch.length)).toEqual([4, 4, 2, 4, 4, 2, 4, 4, 2])
    const epochs = [0, 3, 6].map((start) => drawn.slice(start, start + 3).flat())
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([...dataset.labels])
    expect(new Set(epochs.map(String)).size).toBe(3)
  })

  it('are as many as stepsOf says, and end at maxSteps', () => {
    for (const changed of [{}, { maxSteps: 1 }, { maxSteps: 4 }, { maxSteps: 9 }, { maxSteps: 10 }, { batchSize: 64 }]) {
      expect(labelsOf(changed)).toHaveLength(stepsOf({ ...plan, ...changed }, rows))
    }
    expect(labelsOf({ maxSteps: 4 })).toEqual(labelsOf({}).slice(0, 4))
  })

  it('follow from the seed', () => {
    expect(labelsOf({}, 5)).toEqual(labelsOf({}, 5))
    expect(labelsOf({}, 5)).not.toEqual(labelsOf({}, 6))
  })

  it('need a plan of positive integers', () => {
    for (const field of ['epochs', 'batchSize', 'maxSteps']) {
      for (const count of [0, -1, 1.5, Number.NaN]) {
        const message = `plan.${field}: expected a positive integer, got ${count}`
        expect(() => stepsOf({ ...plan, [field]: count }, rows)).toThrow(
          expect.objectContaining({ code: 'FL_OUT_OF_RANGE', message }),
        )
      }
    }
  })
})
