import { extname } from 'node:path'
import { FedweaveError, type ModelSpec } from '@fedweave/aggregator'
import { startWorker } from '@fedweave/aggregator/node'
import { WorkerPool } from '../compute/worker-pool.ts'
import type { EvaluationSource } from './load-data.ts'
import type { ToEvaluator } from './messages.ts'
import type { EvaluationResult } from './metrics.ts'
import type { DescribedModel } from './model.ts'

/** Builds models and judges them on the held-out data, in a worker thread; calls are answered one after the other. */
export interface Evaluator {
  /**
   * The spec of a TensorFlow.js layers model and the weights that its initialisers draw. Throws `FL_MODEL_UNSUPPORTED`
   * where it is no classifier or regressor whose weights are all trainable.
   */
  describe(topology: string): Promise<DescribedModel>
  /**
   * Judges `weights`: flat, in the order of `spec.tensors`. Throws `FL_UPDATE_SHAPE` (wrong number), `FL_DATASET_SHAPE` (the
   * data are for another model), `FL_NON_FINITE` (the model gives NaN), `FL_CONFIG_INVALID` (started without data), `FL_SERVER_FAULT`
   * (the thread died, and so did the one that was started in its place).
   */
  evaluate(spec: ModelSpec, weights: Float32Array): Promise<EvaluationResult>
  /** Ends the thread; calls under way reject with `FL_STOPPED`. */
  close(): Promise<void>
}

/**
 * Starts the thread and loads the data. Throws `FL_DEPENDENCY_MISSING` without TensorFlow.js, else as `loadEvaluationData`
 * does. Without a source the evaluator only describes. A thread that dies is replaced by one that loads the data again.
 */
export async function startEvaluator(source?: EvaluationSource): Promise<Evaluator> {
  const url = new URL(`./evaluator.worker${extname(import.meta.url)}`, import.meta.url)
  const thread = new WorkerPool<ToEvaluator>(1, () => startWorker(url, { workerData: source }))
  const ask = <T>(message: ToEvaluator, transfer?: ArrayBuffer[]) => thread.run(message, transfer) as Promise<T>
  try {
    await ask({ kind: 'load' })
  } catch (error) {
    await thread.close()
    throw error
  }
  return {
    describe: (topology) => ask({ kind: 'describe', topology }),
    async evaluate(spec, weights) {
      const once = () => {
        const copy = weights.slice() // posting a view would clone the whole buffer under it
        return ask<EvaluationResult>({ kind: 'evaluate', spec, weights: copy }, [copy.buffer])
      }
      try {
        return await once()
      } catch (error) {
        if (!(error instanceof FedweaveError) || error.code !== 'FL_SERVER_FAULT') throw error
        return once() // on another thread
      }
    },
    close: () => thread.close(),
  }
}
