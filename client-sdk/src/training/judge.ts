import { FedweaveError } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { type Batch, batchesInOrder, type Prepare } from './batches.ts'
import { softmaxCrossEntropy } from './cross-entropy.ts'
import { type Metrics, metricsOf } from './metrics.ts'
import type { LocalDataset } from './trainer.ts'

/** Examples that go through the model at once: their activations still fit the processor's cache. */
export const JUDGED_AT_ONCE = 128

/**
 * Judges the weights that `model`, which ends in logits, has now on `rows` of the data set. `beforeBatch` may throw to
 * stop it. Throws `FL_NON_FINITE` naming the rows (from 0) for which the model gives a NaN or an infinity.
 */
export async function judge(
  model: tf.LayersModel,
  dataset: LocalDataset,
  rows: Uint32Array,
  prepare: Prepare,
  beforeBatch: () => Promise<void>,
): Promise<Metrics> {
  const classes = model.outputs[0]?.shape[1] as number
  const confusion = new Uint32Array(classes * classes)
  let [loss, done] = [0, 0]
  for (const batch of batchesInOrder(dataset, rows, JUDGED_AT_ONCE, prepare)) {
    await beforeBatch()
    const score = softmaxCrossEntropy(logitsOf(model, batch, dataset.shape), batch.labels, classes)
    if (!Number.isFinite(score.loss)) {
      const first = rows[done] as number
      throw new FedweaveError(
        'FL_NON_FINITE',
        `the loss is ${score.loss} on the ${batch.labels.length} examples from row ${first} on`,
      )
    }
    loss += score.loss
    done += batch.labels.length
    for (const [i, label] of batch.labels.entries()) {
      const cell = label * classes + (score.predicted[i] as number)
      confusion[cell] = (confusion[cell] as number) + 1
    }
  }
  return metricsOf(confusion, classes, loss)
}

export function logitsOf(model: tf.LayersModel, { xs, labels }: Batch, shape: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const logits = model.apply(tf.tensor(xs, [labels.length, ...shape]), { training: false }) as tf.Tensor
    return logits.dataSync<'float32'>()
  })
}
