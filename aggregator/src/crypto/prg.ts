import { FedweaveError } from '../core/errors.ts'

export const PRG_KEY_BYTES = 32

/**
 * A vector of 32-bit words to which keystreams and vectors are added mod 2^32, starting from zeros. Fused, so that
 * removing a mask never needs a second vector of the model's size.
 */
export interface Accumulator {
  /**
   * The words themselves, not a copy. They may lie in memory that cannot be transferred to another thread: post a
   * `slice()`.
   */
  readonly words: Uint32Array
  /** Adds the stream of `key`. Throws `FL_OUT_OF_RANGE` unless the key has 32 bytes. */
  addStream(key: Uint8Array): void
  /** Takes the stream of `key` away again. Throws `FL_OUT_OF_RANGE` unless the key has 32 bytes. */
  subtractStream(key: Uint8Array): void
  /** Adds `term` word by word. Throws `FL_UPDATE_SHAPE` unless it is as long as `words`. */
  addWords(term: Uint32Array): void
  /** Where the platform has something faster for it: does in `words`, which are the random ones, what `Quantiser.encode` does. */
  encode?(delta: Float32Array, quanta: number, most: number, weight: number): void
  /** The same for `Ring.packInto`. */
  packInto?(packed: Uint8Array, bits: number): void
  /** The same for adding what `Ring.unpack` gives. */
  addPacked?(packed: Uint8Array, bits: number): void
}

/**
 * The mask generator: the ChaCha20 keystream (RFC 8439, section 2.4) under `key`, a nonce of 12 zero bytes and a block
 * counter that starts at 0, read as little-endian 32-bit words. A key is used for one stream only, so the nonce needs
 * no value. The 32-bit counter cannot wrap: 2^32 blocks are 256 GiB, more than any typed array holds.
 *
 * Implementations are byte-equal and differ in speed and platform; `prgContract` in `@fedweave/aggregator/testing`
 * checks one. They view bytes as words through typed arrays, hence need a little-endian platform.
 */
export interface Prg {
  readonly name: string
  /** A new accumulator of `length` words, all zero. */
  accumulator(length: number): Accumulator
}

/** The first `length` words of the stream of `key`. */
export function expand(prg: Prg, key: Uint8Array, length: number): Uint32Array {
  const stream = prg.accumulator(length)
  stream.addStream(key)
  return stream.words
}

/** For implementations: throws `FL_OUT_OF_RANGE` unless `key` has 32 bytes. */
export function checkPrgKey(key: Uint8Array): void {
  if (key.length === PRG_KEY_BYTES) return
  throw new FedweaveError('FL_OUT_OF_RANGE', `a mask key has ${PRG_KEY_BYTES} bytes, got ${key.length}`)
}

/** For implementations: throws `FL_UPDATE_SHAPE` unless `term` can be added to `words`. */
export function checkSameLength(words: Uint32Array, term: Uint32Array | Float32Array): void {
  if (term.length === words.length) return
  throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${words.length} words, got ${term.length}`)
}
