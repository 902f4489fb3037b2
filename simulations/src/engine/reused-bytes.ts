/** An array that is lent again and again, as `ReusingPrg` lends accumulators, for as long as the same length is asked for. */
export class ReusedBytes {
  #bytes = new Uint8Array(0)

  /** Holds anything. What was lent before is of no more use to its borrower. */
  of(length: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length !== length) this.#bytes = new Uint8Array(length)
    return this.#bytes
  }
}
