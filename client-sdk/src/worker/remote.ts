import { FedweaveError } from '@fedweave/aggregator'
import type { BackendOptions } from '../tfjs/backend.ts'
import type { Backend } from '../tfjs/choose-backend.ts'
import type { Metrics } from '../training/metrics.ts'
import type {
  EvaluationRequest,
  LocalDataset,
  LocalTrainer,
  PredictionRequest,
  TrainingRequest,
  TrainingResult,
  TrainOptions,
} from '../training/trainer.ts'
import { type Masker, type MaskingJob, wipeKeys } from './masker.ts'
import type { FromWorker, Job, JobResults, ToWorker } from './messages.ts'

/** A started worker of any kind, as the host's side needs it. */
export interface TrainingWorker {
  post(message: ToWorker, transfer: ArrayBuffer[]): void
  terminate(): Promise<void>
}

/** Starts a worker that runs `serveTrainer`; `crashed` is called once it can answer no more. */
export type StartTrainingWorker = (onMessage: (message: FromWorker) => void, onCrash: (cause: unknown) => void) => TrainingWorker

interface Call {
  readonly resolve: (result: JobResults[Job['kind']]) => void
  readonly reject: (error: FedweaveError) => void
  readonly onProgress: TrainOptions['onProgress']
}

/** The host's side of a training worker. The worker starts with the first job, and anew with the next one after a crash. */
export class RemoteTrainer implements LocalTrainer, Masker {
  readonly #dataset: LocalDataset
  readonly #options: BackendOptions
  readonly #start: StartTrainingWorker
  readonly #calls = new Map<number, Call>()
  #worker: TrainingWorker | undefined
  #closed = false
  #lastId = 0

  constructor(dataset: LocalDataset, options: BackendOptions, start: StartTrainingWorker) {
    this.#dataset = dataset
    this.#options = options
    this.#start = start
  }

  train(request: TrainingRequest, { signal, onProgress }: TrainOptions = {}): Promise<TrainingResult> {
    const weights = request.weights.slice()
    const job = { kind: 'train', request: { ...request, weights }, progress: onProgress !== undefined } as const
    return this.#call<'train'>(job, [weights.buffer], signal, onProgress)
  }

  evaluate(request: EvaluationRequest, { signal }: Pick<TrainOptions, 'signal'> = {}): Promise<Metrics> {
    const weights = request.weights.slice()
    return this.#call<'evaluate'>({ kind: 'evaluate', request: { ...request, weights } }, [weights.buffer], signal)
  }

  predict(request: PredictionRequest): Promise<Float32Array> {
    const weights = request.weights.slice()
    return this.#call<'predict'>({ kind: 'predict', request: { ...request, weights } }, [weights.buffer])
  }

  async maskAndSeal(job: MaskingJob): Promise<Uint8Array> {
    const delta = job.update.delta.slice() // stays here too, for a round that is repeated
    try {
      const request = { ...job, update: { ...job.update, delta } }
      return await this.#call<'mask'>({ kind: 'mask', request }, [delta.buffer])
    } finally {
      wipeKeys(job)
    }
  }

  backend(): Promise<Backend> {
    return this.#call<'backend'>({ kind: 'backend' }, [])
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#rejectAll(stopped())
    await this.#worker?.terminate()
  }

  async #call<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    transfer: ArrayBuffer[],
    signal?: AbortSignal,
    onProgress?: TrainOptions['onProgress'],
  ): Promise<JobResults[Kind]> {
    if (this.#closed || signal?.aborted) throw stopped()
    this.#worker ??= this.#open()
    const worker = this.#worker
    const id = ++this.#lastId
    const stop = () => worker.post({ kind: 'stop', id }, [])
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await new Promise((resolve, reject) => {
        this.#calls.set(id, { resolve: resolve as Call['resolve'], reject, onProgress })
        worker.post({ kind: 'job', id, job }, transfer)
      })
    } finally {
      this.#calls.delete(id)
      signal?.removeEventListener('abort', stop)
    }
  }

  #open(): TrainingWorker {
    const worker = this.#start(
      (message) => this.#take(message),
      (cause) => {
        if (this.#worker !== worker) return
        this.#worker = undefined
        this.#rejectAll(crashed(cause))
      },
    )
    const { xs, labels, shape } = this.#dataset
    const transfer: ArrayBuffer[] = []
    const dataset = { xs: handOver(xs, transfer), labels: handOver(labels, transfer), shape }
    worker.post({ kind: 'start', dataset, options: this.#options }, transfer)
    return worker
  }

  #take(message: FromWorker): void {
    const call = this.#calls.get(message.id)
    switch (message.kind) {
      case 'progress':
        call?.onProgress?.(message.progress)
        return
      case 'result':
        call?.resolve(message.result)
        return
      case 'error': {
        const { code, message: text, cure } = message.error
        call?.reject(new FedweaveError(code, text, { cure }))
        return
      }
    }
  }

  #rejectAll(error: FedweaveError): void {
    for (const call of this.#calls.values()) call.reject(error)
  }
}

/**
 * What to post so that the worker gets exactly these values: an array on a SharedArrayBuffer as it is, so that host and
 * workers read one memory; any other as one copy that is transferred. Posting the array itself would clone the whole
 * buffer under it, which for a client's part of a large data set is everybody's.
 */
function handOver<T extends Float32Array | Int32Array>(values: T, transfer: ArrayBuffer[]): T {
  if (typeof SharedArrayBuffer !== 'undefined' && values.buffer instanceof SharedArrayBuffer) return values
  const copy = values.slice()
  transfer.push(copy.buffer)
  return copy as T
}

function stopped(): FedweaveError {
  return new FedweaveError('FL_STOPPED', 'local training was stopped')
}

function crashed(cause: unknown): FedweaveError {
  const message = `the training worker died: ${cause instanceof Error ? cause.message : String(cause)}`
  return new FedweaveError('FL_TRAINER_CRASHED', message, { cause })
}
