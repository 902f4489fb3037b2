import { FedweaveError, isRegressor } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { batchesInOrder, type Prepare } from './batches.ts'
import { exp } from './elementary.ts'
import { JUDGED_AT_ONCE, outputsOf } from './judge.ts'
import type { LocalDataset } from './trainer.ts'

/**
 * What the weights that `model`, which ends in logits or an estimate, has now make of every example of `dataset`: probabilities, class
 * after class, example after example, or one estimate each. Throws `FL_NON_FINITE` naming the row (from 0) for which the model gives none.
 */
export async function predictAll(
  model: tf.LayersModel,
  dataset: LocalDataset,
  prepare: Prepare,
  beforeBatch: () => Promise<void>,
): Promise<Float32Array> {
  const width = model.outputs[0]?.shape[1] as number
  const answerInto = isRegressor({ classes: width }) ? estimateInto : softmaxInto
  const rows = Uint32Array.from(dataset.labels.keys())
  const answers = new Float32Array(rows.length * width)
  let done = 0
  for (const batch of batchesInOrder(dataset, rows, JUDGED_AT_ONCE, prepare)) {
    await beforeBatch()
    const outputs = outputsOf(model, batch, dataset.shape)
    for (let row = 0; row < batch.labels.length; row++) {
      const from = row * width
      answerInto(answers.subarray((done + row) * width), outputs.subarray(from, from + width), done + row)
    }
    done += batch.labels.length
  }
  return answers
}

function estimateInto(out: Float32Array, estimate: Float32Array, row: number): void {
  const [value = Number.NaN] = estimate
  if (!Number.isFinite(value)) throw new FedweaveError('FL_NON_FINITE', `the model gives ${value} for row ${row}`)
  out[0] = value
}

function softmaxInto(out: Float32Array, logits: Float32Array, row: number): void {
  const top = logits.reduce((most, logit) => Math.max(most, logit))
  if (!Number.isFinite(top)) throw new FedweaveError('FL_NON_FINITE', `the model gives ${top} for row ${row}`)
  let sum = 0
  for (const logit of logits) sum += exp(logit - top)
  for (const [i, logit] of logits.entries()) out[i] = exp(logit - top) / sum
}
