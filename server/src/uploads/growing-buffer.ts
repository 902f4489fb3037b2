/**
 * Collects a body of a known length while holding little more than what has arrived: a stalled upload costs its bytes
 * so far, at most twice, not its full size. Chunks are copied, because a body that comes byte by byte would otherwise
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
      const larger = new Uint8Array(Math.min(this.expected, Math.max(length, 2 * this.#bytes.length)))
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
