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
 * Where masked updates wait until they are whole. An update is opened and added only after `receive` resolves, so that
 * a client that vanishes in mid-upload leaves nothing behind.
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
   * Reads exactly `expectedBytes` from `stream`; the result owns its ArrayBuffer. The slot is free again when the promise
   * settles.
   *
   * Rejects with `FL_STAGING_FULL` (no slot), `FL_UPDATE_SHAPE` (more or fewer bytes, or the connection closed),
   * `FL_UPLOAD_TIMEOUT` (deadline or rate), or when the signal aborts with its reason if that is a `FedweaveError`, else
   * `FL_STOPPED`. The stream is destroyed a moment later, so that the refusal can still be answered (`discardRest`).
   */
  async receive(stream: Readable, expectedBytes: number, options: ReceiveOptions = {}): Promise<Uint8Array> {
    // For good: a stream may fail at any time after its listeners are gone, and an unheard error ends the process.
    stream.on('error', () => {})
    try {
      if (this.#taken >= this.#options.slots) {
        throw new FedweaveError('FL_STAGING_FULL', `all ${this.#options.slots} staging slots are taken`)
      }
      return await this.#inSlot(stream, expectedBytes, options)
    } catch (error) {
      discardRest(stream, expectedBytes)
      throw error
    }
  }

  async #inSlot(stream: Readable, expectedBytes: number, options: ReceiveOptions): Promise<Uint8Array> {
    const buffer = new GrowingBuffer(expectedBytes)
    let held = 0
    const account = (capacity: number) => {
      this.#heldBytes += capacity - held
      held = capacity
    }
    this.#taken++
    try {
      return await collect(stream, buffer, this.#options, {
        ...options,
        onBytes(count) {
          account(buffer.capacity)
          options.onBytes?.(count)
        },
      })
    } finally {
      this.#taken--
      account(0)
    }
  }
}
