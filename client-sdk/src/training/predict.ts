import { FedweaveError } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { batchesInOrder, type Prepare } from './batches.ts'
import { exp } from './elementary.ts'
import { JUDGED_AT_ONCE, logitsOf } from './judge.ts'
import type { LocalDataset } from './trainer.ts'

/**
 * What the weights that `model`, which ends in logits, has now make of every example of `dataset`: probabilities, class after class,
 * example after example. Throws `FL_NON_FINITE` naming the row (from 0) for which the model gives none.
 */
export async function predictAll(
  model: tf.LayersModel,
  dataset: LocalDataset,
  prepare: Prepare,
  beforeBatch: () => Promise<void>,
): Promise<Float32Array> {
  const classes = model.outputs[0]?.shape[1] as number
  const rows = Uint32Array.from(dataset.labels.keys())
  const probabilities = new Float32Array(rows.length * classes)
  let done = 0
  for (const batch of batchesInOrder(dataset, rows, JUDGED_AT_ONCE, prepare)) {
    await beforeBatch()
    const logits = logitsOf(model, batch, dataset.shape)
    for (let row = 0; row < batch.labels.length; row++) {
      const from = row * classes
      softmaxInto(probabilities.subarray((done + row) * classes), logits.subarray(from, from + classes), done + row)
    }
    done += batch.labels.length
  }
  return probabilities
}

function softmaxInto(out: Float32Array, logits: Float32Array, row: number): void {
  const top = logits.reduce((most, logit) => Math.max(most, logit))
  if (!Number.isFinite(top)) throw new FedweaveError('FL_NON_FINITE', `the model gives ${top} for row ${row}`)
  let sum = 0
  for (const logit of logits) sum += exp(logit - top)
  for (const [i, logit] of logits.entries()) out[i] = exp(logit - top) / sum
}
