import { type Curves, FedweaveError, fromHex, type Prg, toHex } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { ComputePool } from './compute/compute-pool.ts'
import { type Limits, withDefaults } from './config/limits.ts'
import type { TaskEvent } from './coordinator/events.ts'
import { type ServerKeys, serverKeys } from './coordinator/identity.ts'
import type { Member } from './coordinator/members.ts'
import type { Peer } from './coordinator/peer.ts'
import { prepareTask } from './coordinator/prepare.ts'
import { Task } from './coordinator/task.ts'
import { type EnrolmentCheck, EnrolmentDesk } from './enrolment/desk.ts'
import { Buckets } from './limits/buckets.ts'
import { RoundSlots } from './limits/round-slots.ts'
import { Connection } from './realtime/connection.ts'
import type { Enrolment } from './routes/enrolment.ts'
import type { Store } from './storage/store.ts'
import { TaskBook, type TaskShelf } from './task-book.ts'
import type { TaskSpec } from './task-spec.ts'

export interface HubOptions {
  readonly tasks: readonly TaskSpec[]
  /** Ed25519 seed that signs task configs, the coordinator key and the journal. */
  readonly operatorSeed: Uint8Array
  /** X25519 secret of this run; absent: drawn. A run that ended badly hands it on, so that its last round can be finished. */
  readonly coordinatorSecret?: Uint8Array
  /**
   * Who certifies clients: a key kept elsewhere, of which the server knows the public half and perhaps where clients enrol, or
   * a key that the server holds itself, which protects against an honest-but-curious server only. Whom it certifies then:
   * absent, whoever asks.
   */
  readonly enrolment:
    | { readonly key: Uint8Array; readonly url?: string }
    | { readonly seed: Uint8Array; readonly check?: EnrolmentCheck; readonly days?: number }
  /** Opens the store of one task. */
  readonly openStore: (taskId: string) => Promise<Store>
  /** Knows the stores of tasks that the operator made; absent: such tasks end with the process. */
  readonly shelf?: TaskShelf
  /** Models of the last so many rounds that are kept, besides the initial one; default all. */
  readonly checkpoints?: number
  /** How long a client whose connection broke is waited for; default 3 s. */
  readonly reconnectMs?: number
  readonly limits?: Partial<Limits>
  /** Most worker threads that open uploads and take masks off; default one less than the machine's cores, at least one. */
  readonly threads?: number
  readonly onEvent?: (task: string, event: TaskEvent) => void
}

/** A server that is told to stop ends within 15 s; this leaves time to close. */
const DRAIN_MS = 8000

/** All that the server is, apart from what carries its bytes: the tasks, and the way to each of them. */
export class Hub {
  readonly keys: ServerKeys
  readonly book: TaskBook
  readonly enrolment: Enrolment
  readonly #pool: ComputePool
  readonly #limits: Limits
  readonly #messages: Buckets
  #closing = false

  private constructor(keys: ServerKeys, book: TaskBook, enrolment: Enrolment, pool: ComputePool, limits: Limits) {
    this.keys = keys
    this.book = book
    this.enrolment = enrolment
    this.#pool = pool
    this.#limits = limits
    this.#messages = new Buckets(limits.messagesPerSecond)
  }

  static async open(options: HubOptions): Promise<Hub> {
    const curves: Curves = nodeCurves
    const prg: Prg = fastestPrg()
    const keys = serverKeys(curves, options.operatorSeed, options.coordinatorSecret)
    const limits = withDefaults(options.limits)
    const enrolment = enrolmentOf(options.enrolment, curves)
    const published = { key: toHex(enrolment.key), holder: enrolment.desk === undefined ? 'external' : 'server' } as const
    const slots = new RoundSlots(limits.openRounds)
    const pool = new ComputePool(options.threads)
    const { openStore, shelf, checkpoints, reconnectMs = 3000, onEvent } = options
    const start = async (spec: TaskSpec, store: Store) => {
      const prepared = await prepareTask(spec, keys, published, store, checkpoints)
      const task = new Task({ keys, ...prepared, prg, pool, slots, reconnectMs })
      task.events.on('event', (event) => onEvent?.(spec.id, event))
      await task.recover()
      return task
    }
    const book = await TaskBook.open(options.tasks, { openStore, shelf, start })
    return new Hub(keys, book, enrolment, pool, limits)
  }

  get tasks(): ReadonlyMap<string, Task> {
    return this.book.tasks
  }

  /** Throws `FL_SERVER_BUSY` once the server stops. */
  checkOpen(): void {
    if (this.#closing) throw new FedweaveError('FL_SERVER_BUSY', 'the server is stopping')
  }

  connect(peer: Peer): Connection {
    const { handshakeMs } = this.#limits
    return new Connection({ keys: this.keys, tasks: this.tasks, peer, handshakeMs, messages: this.#messages })
  }

  /** Throws `FL_TASK_UNKNOWN`. */
  task(id: string): Task {
    const task = this.tasks.get(id)
    if (task === undefined) throw new FedweaveError('FL_TASK_UNKNOWN', `this server has no task ${JSON.stringify(id)}`)
    return task
  }

  /**
   * Whose upload that is, once it is clear that it can still count. Session tokens are 32 random bytes looked up by value: a
   * guess learns nothing. Throws `FL_SESSION_INVALID`, `FL_ROUND_STALE`, `FL_NOT_IN_ROSTER`.
   */
  uploader(task: Task, session: string | undefined, context: string): { readonly member: Member; readonly context: Uint8Array } {
    const member = session === undefined ? undefined : task.member(session)
    if (member === undefined) throw new FedweaveError('FL_SESSION_INVALID', 'the upload bears no token of a live session')
    const bytes = fromHex(context, 32)
    task.checkUpload(member, bytes)
    return { member, context: bytes }
  }

  /** Throws `FL_MODEL_UNKNOWN`. */
  async model(task: Task, hash: string): Promise<Uint8Array> {
    const bytes = await task.history.model(hash)
    if (bytes === undefined) throw new FedweaveError('FL_MODEL_UNKNOWN', `task ${task.id} has no model ${hash}`)
    return bytes
  }

  /**
   * What the one cohort of a round summed to: no more than the difference of two models. The sums of several cohorts are for the
   * operator alone, since each tells more of its clients than the model does. Throws `FL_MODEL_UNKNOWN`.
   */
  async aggregate(task: Task, hash: string): Promise<Uint8Array> {
    const { groups = 1 } = task.history.config.cohort
    const bytes = groups === 1 ? await task.history.aggregate(hash) : undefined
    if (bytes === undefined) throw new FedweaveError('FL_MODEL_UNKNOWN', `task ${task.id} shows no aggregate ${hash}`)
    return bytes
  }

  /** Opens no round any more, and waits a little for rounds whose clients have begun to unmask. */
  async drain(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.tasks.values()].map((task) => task.drain(DRAIN_MS)))
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.book.close()
    await this.#pool.close()
  }
}

function enrolmentOf(enrolment: HubOptions['enrolment'], curves: Curves): Enrolment {
  if ('key' in enrolment) return { key: enrolment.key, desk: undefined, url: enrolment.url }
  const desk = new EnrolmentDesk({ curves, ...enrolment })
  return { key: desk.key, desk, url: undefined }
}
