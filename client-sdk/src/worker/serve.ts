import { FedweaveError } from '@fedweave/aggregator'
import type { BackendOptions } from '../tfjs/backend.ts'
import type { LocalDataset, LocalTrainer } from '../training/trainer.ts'
import { type MaskingTools, maskAndSeal } from './masker.ts'
import type { FromWorker, Job, JobResults, ToWorker } from './messages.ts'

/**
 * The worker's side, whatever kind of worker it is: give it every message from the host, a way to post back, and what its
 * platform masks with.
 * An error that is no `FedweaveError` is a bug of ours: it is left unhandled, so that the worker dies of it and the host sees it.
 */
export function serveTrainer(
  post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
  tools: MaskingTools,
): (message: ToWorker) => void {
  const running = new Map<number, AbortController>()
  let start: () => Promise<LocalTrainer>
  let trainer: Promise<LocalTrainer> | undefined

  async function run(id: number, job: Job): Promise<void> {
    const stop = new AbortController()
    running.set(id, stop)
    try {
      const onProgress: OnProgress = (progress) => post({ kind: 'progress', id, progress }, [])
      const started = () => {
        trainer ??= start()
        return trainer
      }
      const result = await carryOut(started, tools, job, stop.signal, onProgress)
      post({ kind: 'result', id, result }, arraysOf(result))
    } catch (error) {
      if (!(error instanceof FedweaveError)) throw error
      post({ kind: 'error', id, error: error.toJSON() }, [])
    } finally {
      running.delete(id)
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'start':
        start = () => loadTrainer(message.dataset, message.options)
        return
      case 'job':
        void run(message.id, message.job)
        return
      case 'stop':
        running.get(message.id)?.abort()
        return
    }
  }
}

type OnProgress = (progress: Extract<FromWorker, { kind: 'progress' }>['progress']) => void

async function carryOut(
  trainer: () => Promise<LocalTrainer>,
  tools: MaskingTools,
  job: Job,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'train':
      return (await trainer()).train(job.request, job.progress ? { signal, onProgress } : { signal })
    case 'evaluate':
      return (await trainer()).evaluate(job.request, { signal })
    case 'predict':
      return (await trainer()).predict(job.request)
    case 'backend':
      return (await trainer()).backend()
    case 'mask':
      return maskAndSeal(job.request, tools)
  }
}

/** What crosses without a copy. */
function arraysOf(result: JobResults[Job['kind']]): ArrayBuffer[] {
  if (ArrayBuffer.isView(result)) return [result.buffer as ArrayBuffer]
  return 'delta' in result ? [result.delta.buffer as ArrayBuffer] : []
}

/** Loads TensorFlow.js, which is a peer dependency, with the first job and not before. */
async function loadTrainer(dataset: LocalDataset, options: BackendOptions): Promise<LocalTrainer> {
  const { localTrainer, selectBackend } = await loadTfjs()
  await selectBackend(options)
  return localTrainer(dataset)
}

async function loadTfjs() {
  try {
    const [{ localTrainer }, { selectBackend }] = await Promise.all([
      import('../training/local-trainer.ts'),
      import('../tfjs/backend.ts'),
    ])
    return { localTrainer, selectBackend }
  } catch (cause) {
    const message = `training needs @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm: ${(cause as Error).message}`
    throw new FedweaveError('FL_DEPENDENCY_MISSING', message, { cause })
  }
}
