import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import type { Segments } from '@fedweave/aggregator'
import { startWorker } from '@fedweave/aggregator/node'
import type { ExpandJob, Job, JobResult, OpenedUpload, OpenJob } from './messages.ts'
import { WorkerPool } from './worker-pool.ts'

const ENTRY = new URL(`./compute.worker${extname(import.meta.url)}`, import.meta.url)

/**
 * The heavy vector work of all tasks, off the main thread. Each thread holds one job's vectors and no more: memory is
 * bounded by the number of threads and of callers that wait.
 */
export class ComputePool {
  readonly #workers: WorkerPool<Job>

  /** `size`: most threads; default one less than the machine runs at once, at least one. They start with the first jobs. */
  constructor(size = Math.max(1, availableParallelism() - 1)) {
    this.#workers = new WorkerPool(size, () => startWorker(ENTRY))
  }

  get size(): number {
    return this.#workers.size
  }

  /** Throws `FL_SEAL_BROKEN` or `FL_UPDATE_SHAPE` for an upload that is not one of `job.key`, else as `WorkerPool.run`. */
  open(job: Omit<OpenJob, 'kind'>): Promise<OpenedUpload> {
    return this.#run({ kind: 'open', ...job }, [job.sealed.buffer as ArrayBuffer])
  }

  /** Throws `FL_TOO_FEW_SHARES` when a dealer's shares are inconsistent, else as `WorkerPool.run`. */
  expand(job: Omit<ExpandJob, 'kind'>): Promise<Segments<Uint32Array>> {
    return this.#run({ kind: 'expand', ...job })
  }

  close(): Promise<void> {
    return this.#workers.close()
  }

  #run<J extends Job>(job: J, transfer?: ArrayBuffer[]): Promise<JobResult<J>> {
    return this.#workers.run(job, transfer) as Promise<JobResult<J>>
  }
}
