import type { Worker } from 'node:worker_threads'
import { FedweaveError } from '@fedweave/aggregator'
import type { Answer } from './messages.ts'

interface Call<Job> {
  readonly job: Job
  readonly transfer: ArrayBuffer[]
  resolve(result: unknown): void
  reject(error: FedweaveError): void
}

/**
 * Worker threads that take jobs from one queue, one at a time each, and answer with an `Answer`. A thread is started
 * when a job finds none free; one that dies fails its job, and the next job starts another in its place.
 */
export class WorkerPool<Job> {
  /** Most threads. */
  readonly size: number
  readonly #start: () => Worker
  readonly #queue: Call<Job>[] = []
  /** The threads that live, each with the job that it is at. */
  readonly #workers = new Map<Worker, Call<Job> | undefined>()
  #closed = false

  constructor(size: number, start: () => Worker) {
    this.size = size
    this.#start = start
  }

  /**
   * Throws the worker's `FedweaveError`, `FL_SERVER_FAULT` when the worker dies, `FL_STOPPED` when the pool is closed
   * meanwhile. The arrays in `transfer` are taken from the caller when the job's turn comes.
   */
  run(job: Job, transfer: ArrayBuffer[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(stopped())
      this.#queue.push({ job, transfer, resolve, reject })
      this.#dispatch()
    })
  }

  /** Ends all threads; jobs under way and waiting reject with `FL_STOPPED`. */
  async close(): Promise<void> {
    this.#closed = true
    for (const call of [...this.#queue.splice(0), ...this.#workers.values()]) call?.reject(stopped())
    await Promise.all([...this.#workers.keys()].map((worker) => worker.terminate()))
  }

  #dispatch(): void {
    const [call] = this.#queue
    if (call === undefined) return
    const free = [...this.#workers].find(([, busy]) => busy === undefined)?.[0]
    if (free === undefined && this.#workers.size >= this.size) return
    const worker = free ?? this.#open()
    this.#queue.shift()
    this.#workers.set(worker, call)
    worker.postMessage(call.job, call.transfer)
  }

  #open(): Worker {
    const worker = this.#start()
    worker.on('message', (answer: Answer<unknown>) => {
      const call = this.#workers.get(worker)
      this.#workers.set(worker, undefined)
      this.#dispatch()
      if ('result' in answer) call?.resolve(answer.result)
      else call?.reject(new FedweaveError(answer.error.code, answer.error.message, { cure: answer.error.cure }))
    })
    worker.on('error', (cause) => this.#lost(worker, String(cause), cause))
    worker.on('exit', (code) => this.#lost(worker, `it left with code ${code}`))
    return worker
  }

  #lost(worker: Worker, why: string, cause?: unknown): void {
    const call = this.#workers.get(worker)
    this.#workers.delete(worker)
    call?.reject(new FedweaveError('FL_SERVER_FAULT', `a worker thread died: ${why}`, { cause }))
    if (!this.#closed) this.#dispatch()
  }
}

function stopped(): FedweaveError {
  return new FedweaveError('FL_STOPPED', 'the server is shutting down')
}
