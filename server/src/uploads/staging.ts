import type { Readable } from 'node:stream'
import { FedweaveError } from '@fedweave/aggregator'
import { collect, type ReceiveOptions } from './collect.ts'
import { discardRest } from './discard.ts'
import { GrowingBuffer } from './growing-buffer.ts'
import type { PaceLimits } from './pace.ts'

export interface StagingOptions extends PaceLimits {
  /** Uploads received at once; memory is bounded by slots x size of an update. */
  readonly slots: number
}

/**
 * Where masked updates wait until they are whole. An update is opened and added only once it is, so that a client that
 * vanishes in mid-upload leaves nothing behind.
 */
export class Staging {
  readonly #options: StagingOptions
  #taken = 0
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
   * Rejects with `FL_STAGING_FULL` (no slot), `FL_UPDATE_SHAPE` (more or fewer bytes, or the connection closed),
   * `FL_UPLOAD_TIMEOUT` (deadline or rate), or when the signal aborts with its reason if that is a `FedweaveError`, else
   * `FL_STOPPED`; and with what `use` rejects with. The stream is destroyed a moment later, so that the refusal can still be
   * answered (`discardRest`).
   */
  async receive<T>(
    stream: Readable,
    expectedBytes: number,
    use: (update: Uint8Array) => Promise<T>,
    options: ReceiveOptions = {},
  ): Promise<T> {
    // For good: a stream may fail at any time after its listeners are gone, and an unheard error ends the process.
    stream.on('error', () => {})
    try {
      if (this.#taken >= this.#options.slots) {
        throw new FedweaveError('FL_STAGING_FULL', `all ${this.#options.slots} staging slots are taken`)
      }
      return await this.#inSlot(stream, expectedBytes, use, options)
    } catch (error) {
      discardRest(stream, expectedBytes)
      throw error
    }
  }

  async #inSlot<T>(
    stream: Readable,
    expectedBytes: number,
    use: (update: Uint8Array) => Promise<T>,
    options: ReceiveOptions,
  ): Promise<T> {
    const buffer = new GrowingBuffer(expectedBytes)
    let held = 0
    const account = (capacity: number) => {
      this.#heldBytes += capacity - held
      held = capacity
    }
    this.#taken++
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
      this.#taken--
      account(0)
    }
  }
}
