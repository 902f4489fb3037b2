import type { TrainingPlan } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import { batchesInOrder, stepsOf, trainingBatches } from '../../../client-sdk/src/training/batches.ts'
import { Random } from '../../../client-sdk/src/training/random.ts'

const rows = 10
const dataset = {
  xs: Float32Array.from({ length: rows * 2 }, (_, i) => i),
  shape: [2],
  labels: Int32Array.from({ length: rows }, (_, row) => row),
}
const plan: TrainingPlan = { epochs: 3, batchSize: 4, optimizer: 'sgd', learningRate: 0.1 }

const copy = (example: Float32Array, out: Float32Array) => out.set(example)
const all = Uint32Array.from({ length: rows }, (_, row) => row)

function drawn(changed: Partial<TrainingPlan>, seed = 1, chosen = all) {
  return Array.from(trainingBatches(dataset, chosen, { ...plan, ...changed }, new Random(seed), copy), (batch) => {
    expect([...batch.xs]).toEqual([...batch.labels].flatMap((row) => [2 * row, 2 * row + 1])) // each row with its own label
    return { labels: [...batch.labels], closesEpoch: batch.closesEpoch }
  })
}

function labelsOf(changed: Partial<TrainingPlan>, seed = 1, chosen = all): number[][] {
  return drawn(changed, seed, chosen).map(({ labels }) => labels)
}

describe('trainingBatches', () => {
  it('pass over every example once an epoch, the partial last batch included', () => {
    const labels = labelsOf({})
    expect(labels.map((batch) => batch.length)).toEqual([4, 4, 2, 4, 4, 2, 4, 4, 2])
    const epochs = [0, 3, 6].map((start) => labels.slice(start, start + 3).flat())
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([...dataset.labels])
    expect(new Set(epochs.map(String)).size).toBe(3)
  })

  it('are as many as stepsOf says, and end at maxSteps', () => {
    for (const changed of [{}, { maxSteps: 1 }, { maxSteps: 4 }, { maxSteps: 9 }, { maxSteps: 10 }, { batchSize: 64 }]) {
      expect(labelsOf(changed)).toHaveLength(stepsOf({ ...plan, ...changed }, rows))
    }
    expect(labelsOf({ maxSteps: 4 })).toEqual(labelsOf({}).slice(0, 4))
  })

  it('say which of them closes an epoch, or the round', () => {
    const closing = (changed: Partial<TrainingPlan>) =>
      drawn(changed).flatMap(({ closesEpoch }, i) => (closesEpoch ? [i + 1] : []))
    expect(closing({})).toEqual([3, 6, 9])
    expect(closing({ maxSteps: 4 })).toEqual([3, 4])
    expect(closing({ batchSize: 64 })).toEqual([1, 2, 3])
  })

  it('hold the chosen rows and no others', () => {
    const chosen = Uint32Array.of(1, 4, 7)
    expect(labelsOf({ epochs: 1, batchSize: 2 }, 1, chosen).flat().sort()).toEqual([...chosen])
  })

  it('hold examples as `prepare` writes them', () => {
    const negate = (example: Float32Array, out: Float32Array) => out.set(example.map((value) => -value))
    const [batch] = trainingBatches(dataset, Uint32Array.of(3), plan, new Random(1), negate)
    expect([...(batch?.xs ?? [])]).toEqual([-6, -7])
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

describe('batchesInOrder', () => {
  it('keeps the order of the rows', () => {
    const batches = Array.from(batchesInOrder(dataset, Uint32Array.of(9, 0, 4), 2, copy), ({ xs, labels }) => [
      [...xs],
      [...labels],
    ])
    expect(batches).toEqual([
      [
        [18, 19, 0, 1],
        [9, 0],
      ],
      [[8, 9], [4]],
    ])
  })
})
