import { type ErrorCode, FedweaveError } from '@fedweave/aggregator'
import { startWorker } from '@fedweave/aggregator/node'
import type { FromWorker, Job, Outcomes, SharedData } from './messages.ts'

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './simulate.worker.ts' : './simulate.worker.js', import.meta.url)

type Outcome = Outcomes[Job['kind']]

interface Call {
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
}

/** One worker thread of the engine; it takes jobs in the order in which they are asked. */
export interface Lane {
  ask<K extends Job['kind']>(job: Extract<Job, { kind: K }>): Promise<Outcomes[K]>
}

/** The engine's worker threads: as many models as threads, whatever the number of clients. Close it. */
export class WorkerPool {
  readonly lanes: readonly Lane[]
  readonly #close: () => Promise<void>

  constructor(data: SharedData, workers: number) {
    const opened = Array.from({ length: workers }, () => openLane(data))
    this.lanes = opened
    this.#close = async () => void (await Promise.all(opened.map(({ close }) => close())))
  }

  /**
   * Does `work` for each of `items`, in their order, each on the next free lane. Ends at the first failure, once what
   * runs has ended.
   */
  async each<T>(items: readonly T[], work: (item: T, lane: Lane, index: number) => Promise<void>): Promise<void> {
    let next = 0
    let failed = false
    const lane = async (own: Lane) => {
      while (next < items.length && !failed) {
        const index = next++
        try {
          await work(items[index] as T, own, index)
        } catch (error) {
          failed = true
          throw error
        }
      }
    }
    const ended = await Promise.allSettled(this.lanes.map(lane))
    for (const end of ended) if (end.status === 'rejected') throw end.reason
  }

  close(): Promise<void> {
    return this.#close()
  }
}

function openLane(data: SharedData): Lane & { close(): Promise<void> } {
  const worker = startWorker(ENTRY, { workerData: data })
  const calls = new Map<number, Call>()
  let lastId = 0
  let broken: Error | undefined
  const fail = (cause: unknown) => {
    broken ??= new FedweaveError('FL_TRAINER_CRASHED', `a simulation worker died: ${String(cause)}`, { cause })
    for (const { reject } of calls.values()) reject(broken)
    calls.clear()
  }
  worker.on('error', fail)
  worker.on('exit', (code) => fail(`it left with code ${code}`))
  worker.on('message', (message: FromWorker) => {
    const call = calls.get(message.id)
    calls.delete(message.id)
    if ('outcome' in message) return call?.resolve(message.outcome)
    const { code, message: text, cure } = message.error
    call?.reject(new FedweaveError(code as ErrorCode, text, { cure }))
  })
  return {
    ask: <K extends Job['kind']>(job: Extract<Job, { kind: K }>) =>
      new Promise<Outcomes[K]>((resolve, reject) => {
        if (broken !== undefined) return reject(broken)
        const id = ++lastId
        calls.set(id, { resolve: resolve as Call['resolve'], reject })
        worker.postMessage({ id, job })
      }),
    close: async () => void (await worker.terminate()),
  }
}
