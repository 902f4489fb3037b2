import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import { type Random, shuffleInPlace } from './random.ts'
import type { LocalDataset } from './trainer.ts'

/** Examples of one optimiser update; the arrays are filled anew for the next one. */
export interface Batch {
  readonly xs: Float32Array
  readonly labels: Int32Array
}

/** Optimiser updates that `plan` takes on `examples` examples; the last batch of an epoch may be partial. Throws `FL_OUT_OF_RANGE`. */
export function stepsOf({ epochs, batchSize, maxSteps }: TrainingPlan, examples: number): number {
  for (const [field, count] of Object.entries({ epochs, batchSize, maxSteps })) {
    if (count !== undefined && (!Number.isSafeInteger(count) || count < 1)) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `plan.${field}: expected a positive integer, got ${count}`)
    }
  }
  return Math.min(epochs * Math.ceil(examples / batchSize), maxSteps ?? Number.POSITIVE_INFINITY)
}

/** The round's batches: each epoch passes once over all examples, in an order of its own. */
export function* batches(dataset: LocalDataset, plan: TrainingPlan, random: Random): Generator<Batch, void> {
  const rows = dataset.labels.length
  const width = dataset.xs.length / rows
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  const size = Math.min(plan.batchSize, rows)
  const xs = new Float32Array(size * width)
  const labels = new Int32Array(size)
  let left = stepsOf(plan, rows)
  while (left > 0) {
    shuffleInPlace(order, random)
    for (let start = 0; start < rows && left > 0; start += size, left--) {
      const chosen = order.subarray(start, start + size)
      for (const [i, row] of chosen.entries()) {
        xs.set(dataset.xs.subarray(row * width, (row + 1) * width), i * width)
        labels[i] = dataset.labels[row] as number
      }
      yield { xs: xs.subarray(0, chosen.length * width), labels: labels.subarray(0, chosen.length) }
    }
  }
}
