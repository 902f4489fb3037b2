import type { Readable } from 'node:stream'
import { FedweaveError } from '@fedweave/aggregator'
import { collect, type ReceiveOptions } from './collect.ts'
import { discardRest } from './discard.ts'
import { GrowingBuffer } from './growing-buffer.ts'
import type { PaceLimits } from './pace.ts'

export interface StagingOptions extends PaceLimits {
  /** Uploads received at once. */
  readonly slots: number
  /** Of them by one client. */
  readonly slotsPerClient: number
  /** Most bytes of all uploads under way, counted at their full size. */
  readonly mostBytes: number
}

export interface StagedOptions extends ReceiveOptions {
  /** Whose upload it is; all that name nobody count as one client's. */
  readonly client?: string
}

/**
 * Where masked updates wait until they are whole. An update is opened and added only once it is, so that a client that
 * vanishes in mid-upload leaves nothing behind.
 */
export class Staging {
  readonly #options: StagingOptions
  readonly #byClient = new Map<string, number>()
  #taken = 0
  #expectedBytes = 0
  #heldBytes = 0

  constructor(options: StagingOptions) {
    this.#options = options
  }

  /** Slots in use. */
  get taken(): number {
    return this.#taken
  }

  /** Bytes of memory held by the uploads under way. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /**
   * Reads exactly `expectedBytes` from `stream`, gives them to `use` in an array that owns its ArrayBuffer, and returns what
   * that gives. The slot is free again after `use`: updates that wait to be opened take memory too.
   *
   * Rejects with `FL_STAGING_FULL` (no slot, or no memory), `FL_UPDATE_SHAPE` (more or fewer bytes, or the connection closed),
   * `FL_UPLOAD_TIMEOUT` (deadline or rate), or when the signal aborts with its reason if that is a `FedweaveError`, else
   * `FL_STOPPED`; and with what `use` rejects with. The stream is destroyed a moment later, so that the refusal can still be
   * answered (`discardRest`).
   */
  async receive<T>(
    stream: Readable,
    expectedBytes: number,
    use: (update: Uint8Array) => Promise<T>,
    options: StagedOptions = {},
  ): Promise<T> {
    // For good: a stream may fail at any time after its listeners are gone, and an unheard error ends the process.
    stream.on('error', () => {})
    try {
      this.#checkRoom(expectedBytes, options.client)
      return await this.#inSlot(stream, expectedBytes, use, options)
    } catch (error) {
      discardRest(stream, expectedBytes)
      throw error
    }
  }

  #checkRoom(expectedBytes: number, client = ''): void {
    const { slots, slotsPerClient, mostBytes } = this.#options
    if (this.#taken >= slots) throw new FedweaveError('FL_STAGING_FULL', `all ${slots} staging slots are taken`)
    if ((this.#byClient.get(client) ?? 0) >= slotsPerClient)
      throw new FedweaveError('FL_STAGING_FULL', `this client has ${slotsPerClient} uploads under way already`)
    if (this.#expectedBytes + expectedBytes > mostBytes)
      throw new FedweaveError('FL_STAGING_FULL', `the uploads under way take all of ${mostBytes} bytes`)
  }

  #claim(by: 1 | -1, expectedBytes: number, client = ''): void {
    this.#taken += by
    this.#expectedBytes += by * expectedBytes
    const count = (this.#byClient.get(client) ?? 0) + by
    if (count === 0) this.#byClient.delete(client)
    else this.#byClient.set(client, count)
  }

  async #inSlot<T>(
    stream: Readable,
    expectedBytes: number,
    use: (update: Uint8Array) => Promise<T>,
    options: StagedOptions,
  ): Promise<T> {
    const buffer = new GrowingBuffer(expectedBytes)
    let held = 0
    const account = (capacity: number) => {
      this.#heldBytes += capacity - held
      held = capacity
    }
    this.#claim(1, expectedBytes, options.client)
    try {
      const update = await collect(stream, buffer, this.#options, {
        ...options,
        onBytes(count) {
          account(buffer.capacity)
          options.onBytes?.(count)
        },
      })
      return await use(update)
    } finally {
      this.#claim(-1, expectedBytes, options.client)
      account(0)
    }
  }
}
