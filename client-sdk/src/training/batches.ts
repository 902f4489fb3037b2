import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import { type Labels, labelsOf } from './labels.ts'
import { type Random, shuffleInPlace } from './random.ts'
import type { LocalDataset } from './trainer.ts'

/** Examples that go through the model at once; `xs` is filled anew for the next batch. */
export interface Batch {
  readonly xs: Float32Array
  readonly labels: Labels
}

/** A batch to train on. */
export interface TrainingBatch extends Batch {
  /** Whether it is the last one of its epoch, or of the round. */
  readonly closesEpoch: boolean
}

/** Writes an example into `out` as the model is to see it. */
export type Prepare = (example: Float32Array, out: Float32Array) => void

/** Optimiser updates that `plan` takes on `examples` examples; the last batch of an epoch may be partial. Throws `FL_OUT_OF_RANGE`. */
export function stepsOf({ epochs, batchSize, maxSteps }: TrainingPlan, examples: number): number {
  for (const [field, count] of Object.entries({ epochs, batchSize, maxSteps })) {
    if (count !== undefined && (!Number.isSafeInteger(count) || count < 1)) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `plan.${field}: expected a positive integer, got ${count}`)
    }
  }
  return Math.min(epochs * Math.ceil(examples / batchSize), maxSteps ?? Number.POSITIVE_INFINITY)
}

/** The round's batches: each epoch passes once over all of `rows`, in an order of its own. */
export function* trainingBatches(
  dataset: LocalDataset,
  rows: Uint32Array,
  plan: TrainingPlan,
  random: Random,
  prepare: Prepare,
): Generator<TrainingBatch, void> {
  const order = rows.slice()
  let left = stepsOf(plan, rows.length)
  while (left > 0) {
    shuffleInPlace(order, random)
    let seen = 0
    for (const batch of batchesInOrder(dataset, order, plan.batchSize, prepare)) {
      seen += batch.labels.length
      left--
      yield { ...batch, closesEpoch: seen === rows.length || left === 0 }
      if (left === 0) return
    }
  }
}

/** `rows` one after another, `size` at a time. */
export function* batchesInOrder(
  dataset: LocalDataset,
  rows: Uint32Array,
  size: number,
  prepare: Prepare,
): Generator<Batch, void> {
  const width = dataset.xs.length / dataset.labels.length
  const most = Math.min(size, rows.length)
  const xs = new Float32Array(most * width)
  for (let start = 0; start < rows.length; start += size) {
    const chosen = rows.subarray(start, start + size)
    for (const [i, row] of chosen.entries()) {
      prepare(dataset.xs.subarray(row * width, (row + 1) * width), xs.subarray(i * width, (i + 1) * width))
    }
    yield { xs: xs.subarray(0, chosen.length * width), labels: labelsOf(dataset.labels, chosen) }
  }
}
