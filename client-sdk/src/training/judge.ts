import { FedweaveError, isRegressor } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { type Batch, batchesInOrder, type Prepare } from './batches.ts'
import { ClassTally, ErrorTally, type Metrics } from './metrics.ts'
import type { LocalDataset } from './trainer.ts'

/** Examples that go through the model at once: their activations still fit the processor's cache. */
export const JUDGED_AT_ONCE = 128

/**
 * Judges the weights that `model`, which ends in logits or an estimate, has now on `rows` of the data set. `beforeBatch` may throw to
 * stop it. Throws `FL_NON_FINITE` naming the rows (from 0) for which the model gives a NaN or an infinity.
 */
export async function judge(
  model: tf.LayersModel,
  dataset: LocalDataset,
  rows: Uint32Array,
  prepare: Prepare,
  beforeBatch: () => Promise<void>,
): Promise<Metrics> {
  const outputs = model.outputs[0]?.shape[1] as number
  const tally = isRegressor({ classes: outputs }) ? new ErrorTally() : new ClassTally(outputs)
  let done = 0
  for (const batch of batchesInOrder(dataset, rows, JUDGED_AT_ONCE, prepare)) {
    await beforeBatch()
    const loss = tally.add(outputsOf(model, batch, dataset.shape), batch.labels)
    if (!Number.isFinite(loss)) {
      const first = rows[done] as number
      throw new FedweaveError('FL_NON_FINITE', `the loss is ${loss} on the ${batch.labels.length} examples from row ${first} on`)
    }
    done += batch.labels.length
  }
  return tally.metrics
}

export function outputsOf(model: tf.LayersModel, { xs, labels }: Batch, shape: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const outputs = model.apply(tf.tensor(xs, [labels.length, ...shape]), { training: false }) as tf.Tensor
    return outputs.dataSync<'float32'>()
  })
}
