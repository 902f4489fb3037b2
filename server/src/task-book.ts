import { FedweaveError } from '@fedweave/aggregator'
import type { Task } from './coordinator/task.ts'
import type { Store } from './storage/store.ts'
import type { TaskSpec } from './task-spec.ts'

/** Where tasks are kept that the server's config does not name. Without it, they last as long as the process. */
export interface TaskShelf {
  /** Of every task that has a store. */
  ids(): Promise<readonly string[]>
  /** Deletes a closed store, as a whole or not at all. */
  remove(id: string): Promise<void>
}

export interface TaskBookOptions {
  readonly openStore: (id: string) => Promise<Store>
  readonly shelf?: TaskShelf | undefined
  /** Prepares a task; closes the store where that fails. */
  readonly start: (spec: TaskSpec, store: Store) => Promise<Task>
}

/** The tasks of a server: those of its config, and those that the operator made while it ran, which outlive it. */
export class TaskBook {
  readonly #options: TaskBookOptions
  readonly #tasks = new Map<string, Task>()
  readonly #configured = new Set<string>()
  /** Being made or deleted just now. */
  readonly #changing = new Set<string>()
  #closed = false

  private constructor(options: TaskBookOptions) {
    this.#options = options
  }

  /** Throws `FL_CONFIG_INVALID`, `FL_MODEL_UNSUPPORTED`, `FL_STORE_DAMAGED`. */
  static async open(configured: readonly TaskSpec[], options: TaskBookOptions): Promise<TaskBook> {
    const book = new TaskBook(options)
    for (const spec of configured) {
      if (book.#tasks.has(spec.id)) throw new FedweaveError('FL_CONFIG_INVALID', `tasks: two have the id ${spec.id}`)
      book.#tasks.set(spec.id, await options.start(spec, await options.openStore(spec.id)))
      book.#configured.add(spec.id)
    }
    for (const id of (await options.shelf?.ids()) ?? []) if (!book.#configured.has(id)) await book.#reopen(id)
    return book
  }

  get tasks(): ReadonlyMap<string, Task> {
    return this.#tasks
  }

  /** Throws `FL_TASK_EXISTS`, `FL_CONFIG_INVALID` naming the field, `FL_MODEL_UNSUPPORTED`. */
  async create(spec: TaskSpec): Promise<Task> {
    if (this.#tasks.has(spec.id)) throw new FedweaveError('FL_TASK_EXISTS', `this server has a task ${spec.id} already`)
    return this.#change(spec.id, async () => {
      const store = await this.#options.openStore(spec.id)
      const fresh = (await store.readNote('config')) === undefined
      const task = await this.#options.start(spec, store).catch(async (error: unknown) => {
        if (fresh) await this.#options.shelf?.remove(spec.id)
        throw error
      })
      if (this.#closed) {
        await task.close()
        throw new FedweaveError('FL_SERVER_BUSY', 'the server stopped while the task was made')
      }
      await store.note('spec', Buffer.from(JSON.stringify({ ...spec, model: { topology: spec.model.topology } })))
      this.#tasks.set(spec.id, task)
      return task
    })
  }

  /** Deletes the task with its journal and its models. Throws `FL_TASK_UNKNOWN`, `FL_TASK_STATE`. */
  async remove(task: Task): Promise<void> {
    const { id, status } = task
    if (this.#configured.has(id))
      throw new FedweaveError('FL_TASK_STATE', `task ${id} stands in the server's config`, {
        cure: 'Take it out of the config; its data stay in the data folder until you delete them there.',
      })
    if ((status.state !== 'stopped' && status.state !== 'finished') || status.round !== undefined)
      throw new FedweaveError('FL_TASK_STATE', `task ${id} is not at its end: it is ${status.state}`)
    await this.#change(id, async () => {
      this.#tasks.delete(id)
      await task.close()
      await this.#options.shelf?.remove(id)
    })
  }

  /** A sum that is being unmasked is finished first: its clients have answered once, and will not again. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#tasks.values()].map((task) => task.close()))
  }

  async #change<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#changing.has(id)) throw new FedweaveError('FL_TASK_STATE', `task ${id} is being made or deleted just now`)
    this.#changing.add(id)
    try {
      return await work()
    } finally {
      this.#changing.delete(id)
    }
  }

  /** A store without a spec is of a task that the config named once, or of one that was never quite made. */
  async #reopen(id: string): Promise<void> {
    const { openStore, start } = this.#options
    const store = await openStore(id)
    const note = await store.readNote('spec')
    if (note === undefined) await store.close()
    else this.#tasks.set(id, await start(JSON.parse(Buffer.from(note).toString()) as TaskSpec, store))
  }
}
