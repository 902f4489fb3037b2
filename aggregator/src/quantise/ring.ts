import { FedweaveError } from '../core/errors.ts'
import type { Accumulator } from '../crypto/prg.ts'

/**
 * The integers mod 2^`bits`, in which updates are masked and summed. Words are held and added mod 2^32, which is exact
 * because 2^`bits` divides 2^32; `pack` drops the bits above.
 *
 * Packed form: bit j of word i is bit `i * bits + j` of the stream, and bit k of the stream is bit `k % 8` of byte
 * `floor(k / 8)`, the lowest being bit 0. The bits that are left over in the last byte are zero.
 */
export class Ring {
  readonly bits: number
  readonly #mask: number

  /** `bits`: an integer from 8 to 32, else throws `FL_OUT_OF_RANGE`. */
  constructor(bits: number) {
    if (!Number.isInteger(bits) || bits < 8 || bits > 32) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `a ring has 8 to 32 bits, got ${bits}`)
    }
    this.bits = bits
    this.#mask = -1 >>> (32 - bits)
  }

  /** Size of `length` packed words. */
  packedBytes(length: number): number {
    return Math.ceil((length * this.bits) / 8)
  }

  /** `words` mod 2^`bits`, in `packedBytes(words.length)` bytes. */
  pack(words: Uint32Array): Uint8Array<ArrayBuffer> {
    const packed = new Uint8Array(this.packedBytes(words.length))
    this.packInto(packed, words)
    return packed
  }

  /** Writes `words` mod 2^`bits` to `packed`, whose offset in its buffer is a multiple of 4. */
  packInto(packed: Uint8Array, words: Uint32Array): void {
    const { bits } = this
    const mask = this.#mask
    const whole = new Uint32Array(packed.buffer, packed.byteOffset, packed.length >>> 2)
    let held = 0 // bits that do not fill a word of the output yet, `fill` of them
    let fill = 0
    let at = 0
    for (let i = 0; i < words.length; i++) {
      const word = (words[i] as number) & mask
      held |= word << fill
      fill += bits
      if (fill >= 32) {
        whole[at++] = held
        fill -= 32
        held = fill === 0 ? 0 : word >>> (bits - fill) // a shift by 32 would be a shift by 0
      }
    }
    for (let byte = 4 * at; byte < packed.length; byte++) {
      packed[byte] = held
      held >>>= 8
    }
  }

  /**
   * The `length` words of `packed`. Throws `FL_UPDATE_SHAPE` when the number of bytes is another, or when a bit after
   * the last word is set: one vector has one encoding.
   */
  unpack(packed: Uint8Array, length: number): Uint32Array<ArrayBuffer> {
    const { bits } = this
    const mask = this.#mask
    this.#checkPacked(packed, length)
    const source = wordsOf(packed)
    const words = new Uint32Array(length)
    let at = 0
    let offset = 0
    for (let i = 0; i < length; i++) {
      const end = offset + bits
      let word = (source[at] as number) >>> offset
      if (end > 32) word |= (source[at + 1] as number) << (32 - offset)
      words[i] = word & mask
      at += end >>> 5
      offset = end & 31
    }
    return words
  }

  /** `packInto` with the words of `sum`, in the fastest way that they have. */
  packSumInto(packed: Uint8Array, sum: Accumulator): void {
    if (sum.packInto === undefined) this.packInto(packed, sum.words)
    else sum.packInto(packed, this.bits)
  }

  /** Adds the words of `packed` to `sum`. Throws as `unpack` does. */
  addPacked(sum: Accumulator, packed: Uint8Array): void {
    if (sum.addPacked === undefined) return sum.addWords(this.unpack(packed, sum.words.length))
    this.#checkPacked(packed, sum.words.length)
    sum.addPacked(packed, this.bits)
  }

  /** The integer in [-2^(`bits` - 1), 2^(`bits` - 1)) that `word` stands for; bits above the ring are ignored. */
  toSigned(word: number): number {
    const above = 32 - this.bits
    return (word << above) >> above
  }

  #checkPacked(packed: Uint8Array, length: number): void {
    const expected = this.packedBytes(length)
    if (packed.length !== expected) {
      throw new FedweaveError(
        'FL_UPDATE_SHAPE',
        `${length} words of ${this.bits} bits are ${expected} bytes, got ${packed.length}`,
      )
    }
    const used = (length * this.bits) % 8 // bits of the last byte; 0: all of it
    if (used !== 0 && (packed[expected - 1] as number) >>> used !== 0) {
      throw new FedweaveError('FL_UPDATE_SHAPE', 'bits after the last word are set')
    }
  }
}

/** The same bytes as words, in the last of which other bits may follow them; a copy where no view is possible. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  const count = Math.ceil(length / 4)
  if (byteOffset % 4 === 0 && byteOffset + 4 * count <= buffer.byteLength) return new Uint32Array(buffer, byteOffset, count)
  const words = new Uint32Array(count)
  new Uint8Array(words.buffer).set(new Uint8Array(buffer, byteOffset, length))
  return words
}
