import { extname } from 'node:path'
import { FedweaveError, type ModelSpec } from '@fedweave/aggregator'
import { startWorker } from '@fedweave/aggregator/node'
import type { EvaluationSource } from './load-data.ts'
import type { FromEvaluator, ToEvaluator } from './messages.ts'
import type { EvaluationResult } from './metrics.ts'
import type { DescribedModel } from './model.ts'

/** Builds models and judges them on the held-out data, in a worker thread; calls are answered one after the other. */
export interface Evaluator {
  /**
   * The spec of a TensorFlow.js layers model and the weights that its initialisers draw. Throws `FL_MODEL_UNSUPPORTED`
   * where it is no classifier whose weights are all trainable.
   */
  describe(topology: string): Promise<DescribedModel>
  /**
   * Judges `weights`: flat, in the order of `spec.tensors`. Throws `FL_UPDATE_SHAPE` (wrong number), `FL_DATASET_SHAPE` (the
   * data are for another model), `FL_NON_FINITE` (the model gives NaN), `FL_CONFIG_INVALID` (started without data).
   */
  evaluate(spec: ModelSpec, weights: Float32Array): Promise<EvaluationResult>
  /** Ends the thread; calls under way reject with `FL_STOPPED`. */
  close(): Promise<void>
}

/**
 * Starts the thread and loads the data. Throws `FL_DEPENDENCY_MISSING` without TensorFlow.js, else as `loadEvaluationData`
 * does. Without a source the evaluator only describes.
 */
export async function startEvaluator(source?: EvaluationSource): Promise<Evaluator> {
  const worker = startWorker(new URL(`./evaluator.worker${extname(import.meta.url)}`, import.meta.url), { workerData: source })
  const waiting: { resolve(result: unknown): void; reject(error: FedweaveError): void }[] = []
  let ended: FedweaveError | undefined

  const end = (error: FedweaveError) => {
    ended ??= error
    for (const call of waiting.splice(0)) call.reject(ended)
  }
  worker.on('error', (cause) =>
    end(new FedweaveError('FL_SERVER_FAULT', `the evaluation thread failed: ${String(cause)}`, { cause })),
  )
  worker.on('exit', (code) => end(new FedweaveError('FL_SERVER_FAULT', `the evaluation thread ended with code ${code}`)))
  worker.on('message', (message: FromEvaluator) => {
    const call = waiting.shift()
    if ('result' in message) return call?.resolve(message.result)
    const { code, message: text, cure } = message.error
    return call?.reject(new FedweaveError(code, text, { cure }))
  })

  const answer = <T>() =>
    new Promise<T>((resolve, reject) => {
      if (ended) reject(ended)
      else waiting.push({ resolve: resolve as (result: unknown) => void, reject })
    })
  const ask = <T>(message: ToEvaluator, transfer: ArrayBuffer[] = []) => {
    worker.postMessage(message, transfer)
    return answer<T>()
  }
  const close = async () => {
    end(new FedweaveError('FL_STOPPED', 'the evaluator was closed'))
    await worker.terminate()
  }

  try {
    await answer()
  } catch (error) {
    await close()
    throw error
  }
  return {
    describe: (topology) => ask({ kind: 'describe', topology }),
    evaluate(spec, weights) {
      const copy = weights.slice() // posting a view would clone the whole buffer under it
      return ask({ kind: 'evaluate', spec, weights: copy }, [copy.buffer])
    },
    close,
  }
}
