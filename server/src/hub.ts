import { type Curves, FedweaveError, fromHex, type Prg, toHex } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import { ComputePool } from './compute/compute-pool.ts'
import type { TaskEvent } from './coordinator/events.ts'
import { type ServerKeys, serverKeys } from './coordinator/identity.ts'
import type { Member } from './coordinator/members.ts'
import type { Peer } from './coordinator/peer.ts'
import { prepareTask } from './coordinator/prepare.ts'
import { Task } from './coordinator/task.ts'
import { Connection } from './realtime/connection.ts'
import type { Store } from './storage/store.ts'
import type { TaskSpec } from './task-spec.ts'

export interface HubOptions {
  readonly tasks: readonly TaskSpec[]
  /** Ed25519 seed that signs task configs, the coordinator key and the journal. */
  readonly operatorSeed: Uint8Array
  /**
   * Who certifies clients: a key kept elsewhere, of which the server knows the public half, or a key that the server
   * holds itself, which protects against an honest-but-curious server only.
   */
  readonly enrolment: { readonly key: Uint8Array } | { readonly seed: Uint8Array }
  /** Opens the store of one task. */
  readonly openStore: (taskId: string) => Promise<Store>
  /** How long a client whose connection broke is waited for; default 3 s. */
  readonly reconnectMs?: number
  /** Most worker threads that open uploads and take masks off; default one less than the machine's cores, at least one. */
  readonly threads?: number
  readonly onEvent?: (task: string, event: TaskEvent) => void
}

/** All that the server is, apart from what carries its bytes: the tasks, and the way to each of them. */
export class Hub {
  readonly keys: ServerKeys
  readonly tasks: ReadonlyMap<string, Task>
  /** Present where enrolment is open. */
  readonly enrolmentSeed: Uint8Array | undefined
  readonly #pool: ComputePool

  private constructor(
    keys: ServerKeys,
    tasks: ReadonlyMap<string, Task>,
    enrolmentSeed: Uint8Array | undefined,
    pool: ComputePool,
  ) {
    this.keys = keys
    this.tasks = tasks
    this.enrolmentSeed = enrolmentSeed
    this.#pool = pool
  }

  static async open(options: HubOptions): Promise<Hub> {
    const curves: Curves = nodeCurves
    const prg: Prg = fastestPrg()
    const keys = serverKeys(curves, options.operatorSeed)
    const seed = 'seed' in options.enrolment ? options.enrolment.seed : undefined
    const enrolment = {
      key: toHex('key' in options.enrolment ? options.enrolment.key : curves.ed25519Public(options.enrolment.seed)),
      holder: seed === undefined ? 'external' : 'server',
    } as const
    const pool = new ComputePool(options.threads)
    const tasks = new Map<string, Task>()
    for (const spec of options.tasks) {
      const { history, evaluator } = await prepareTask(spec, keys, enrolment, await options.openStore(spec.id))
      const task = new Task({ keys, history, evaluator, prg, pool, reconnectMs: options.reconnectMs ?? 3000 })
      task.events.on('event', (event) => options.onEvent?.(spec.id, event))
      tasks.set(spec.id, task)
    }
    return new Hub(keys, tasks, seed, pool)
  }

  connect(peer: Peer): Connection {
    return new Connection(this.keys, this.tasks, peer)
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
    const bytes = await task.history.checkpoint(hash)
    if (bytes === undefined) throw new FedweaveError('FL_MODEL_UNKNOWN', `task ${task.id} has no model ${hash}`)
    return bytes
  }

  /** A sum that is being unmasked is finished first: its clients have answered once, and will not again. */
  async close(): Promise<void> {
    await Promise.all([...this.tasks.values()].map((task) => task.stop()))
    await this.#pool.close()
  }
}
