import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset, Trainer, TrainingRequest, TrainingResult, TrainOptions } from '../training/trainer.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** A started worker of any kind, as the host's side needs it. */
export interface TrainingWorker {
  post(message: ToWorker, transfer: ArrayBuffer[]): void
  terminate(): Promise<void>
}

/** Starts a worker that runs `serveTrainer`; `crashed` is called once it can answer no more. */
export type StartTrainingWorker = (onMessage: (message: FromWorker) => void, onCrash: (cause: unknown) => void) => TrainingWorker

interface Call {
  readonly resolve: (result: TrainingResult) => void
  readonly reject: (error: FedweaveError) => void
  readonly onProgress: TrainOptions['onProgress']
}

/** The host's side of a training worker. The worker starts with the first round, and anew with the next one after a crash. */
export class RemoteTrainer implements Trainer {
  readonly #dataset: LocalDataset
  readonly #start: StartTrainingWorker
  readonly #calls = new Map<number, Call>()
  #worker: TrainingWorker | undefined
  #closed = false
  #lastId = 0

  constructor(dataset: LocalDataset, start: StartTrainingWorker) {
    this.#dataset = dataset
    this.#start = start
  }

  async train(request: TrainingRequest, { signal, onProgress }: TrainOptions = {}): Promise<TrainingResult> {
    if (this.#closed || signal?.aborted) throw stopped()
    this.#worker ??= this.#open()
    const worker = this.#worker
    const id = ++this.#lastId
    const stop = () => worker.post({ kind: 'stop', id }, [])
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await new Promise((resolve, reject) => {
        this.#calls.set(id, { resolve, reject, onProgress })
        const weights = request.weights.slice()
        worker.post({ kind: 'train', id, request: { ...request, weights }, progress: onProgress !== undefined }, [weights.buffer])
      })
    } finally {
      this.#calls.delete(id)
      signal?.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#rejectAll(stopped())
    await this.#worker?.terminate()
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
    worker.post({ kind: 'dataset', dataset: { xs: handOver(xs, transfer), labels: handOver(labels, transfer), shape } }, transfer)
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
