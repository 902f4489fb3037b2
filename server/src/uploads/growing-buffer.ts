/**
 * Collects a body of a known length. What has hardly begun holds little: its bytes so far, at most twice. From 256 KiB on the
 * whole is allocated, since to grow further would cost the server more time than all the rest of an upload; the staging
 * counts uploads at their full size anyway. Chunks are copied, because a body that comes byte by byte would otherwise
 * hold one object of a hundred bytes for each.
 */
export class GrowingBuffer {
  /** Bytes of the whole body. */
  readonly expected: number
  #bytes: Uint8Array
  #length = 0

  constructor(expected: number) {
    this.expected = expected
    this.#bytes = new Uint8Array(Math.min(expected, FIRST_BYTES))
  }

  get length(): number {
    return this.#length
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** The caller has checked that the chunk fits into what was expected. */
  push(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) {
      const size = length > WHOLE_FROM ? this.expected : Math.max(length, 2 * this.#bytes.length)
      const larger = new Uint8Array(Math.min(this.expected, size))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = length
  }

  /** The whole body. It owns its ArrayBuffer, so that it can be transferred to a worker. */
  whole(): Uint8Array {
    return this.#bytes
  }
}

const FIRST_BYTES = 16 * 1024
const WHOLE_FROM = 256 * 1024
