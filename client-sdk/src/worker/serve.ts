import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset, Trainer, TrainingRequest } from '../training/trainer.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/**
 * The worker's side, whatever kind of worker it is: give it every message from the host and a way to post back.
 * An error that is no `FedweaveError` is a bug of ours: it is left unhandled, so that the worker dies of it and the host sees it.
 */
export function serveTrainer(post: (message: FromWorker, transfer: ArrayBuffer[]) => void): (message: ToWorker) => void {
  const running = new Map<number, AbortController>()
  let dataset: LocalDataset | undefined
  let trainer: Promise<Trainer> | undefined

  async function train(id: number, request: TrainingRequest, reports: boolean): Promise<void> {
    const stop = new AbortController()
    running.set(id, stop)
    try {
      trainer ??= loadTrainer(dataset as LocalDataset)
      const result = await (await trainer).train(request, {
        signal: stop.signal,
        ...(reports && { onProgress: (progress) => post({ kind: 'progress', id, progress }, []) }),
      })
      post({ kind: 'result', id, result }, [result.delta.buffer as ArrayBuffer])
    } catch (error) {
      if (!(error instanceof FedweaveError)) throw error
      post({ kind: 'error', id, error: error.toJSON() }, [])
    } finally {
      running.delete(id)
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'dataset':
        dataset = message.dataset
        return
      case 'train':
        void train(message.id, message.request, message.progress)
        return
      case 'stop':
        running.get(message.id)?.abort()
        return
    }
  }
}

/** Loads TensorFlow.js, which is a peer dependency, with the first round and not before. */
async function loadTrainer(dataset: LocalDataset): Promise<Trainer> {
  try {
    const { localTrainer } = await import('../training/local-trainer.ts')
    return localTrainer(dataset)
  } catch (cause) {
    const message = `training needs @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm: ${(cause as Error).message}`
    throw new FedweaveError('FL_DEPENDENCY_MISSING', message, { cause })
  }
}
