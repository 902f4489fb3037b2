import { FedweaveError } from '@fedweave/aggregator'
import type { Store } from '../storage/store.ts'

/** What the operator decided about a task; it outlives the process. */
export type Stand =
  | { readonly state: 'open' }
  /** No new round; clients are told to come back after so many seconds. */
  | { readonly state: 'paused'; readonly comeBackS: number }
  /** No round any more. */
  | { readonly state: 'stopped' }

/** Whether a task may open rounds, kept beside its journal. */
export class Standing {
  readonly #store: Store
  #stand: Stand

  private constructor(store: Store, stand: Stand) {
    this.#store = store
    this.#stand = stand
  }

  /** Throws `FL_STORE_DAMAGED`. */
  static async open(store: Store): Promise<Standing> {
    const note = await store.readNote('standing')
    return new Standing(store, note === undefined ? { state: 'open' } : parse(note))
  }

  get now(): Stand {
    return this.#stand
  }

  /** Durable when it resolves. */
  async become(stand: Stand): Promise<void> {
    await this.#store.note('standing', Buffer.from(JSON.stringify(stand)))
    this.#stand = stand
  }
}

function parse(note: Uint8Array): Stand {
  const { state, comeBackS } = JSON.parse(Buffer.from(note).toString()) as { state?: unknown; comeBackS?: unknown }
  if (state === 'open' || state === 'stopped') return { state }
  if (state === 'paused' && typeof comeBackS === 'number') return { state, comeBackS }
  throw new FedweaveError('FL_STORE_DAMAGED', 'the note `standing` holds no state of a task')
}
