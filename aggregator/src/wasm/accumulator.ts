import { type Accumulator, checkPrgKey, checkSameLength, PRG_KEY_BYTES } from '../crypto/prg.ts'
import { ADD, GROUP_BYTES, GROUP_WORDS, type Kernels, type Sign, SUBTRACT } from './kernels.ts'
import { instantiate } from './module.ts'

const PAGE_BYTES = 65_536
// The memory: the cipher's state, a scratch tile for terms from outside, the words.
const STATE_AT = 0
const KEY_AT = 16
const TILE_AT = 64
/** 16 KiB: the tile and the words it is added to stay in the first-level cache. */
const TILE_WORDS = 4096
const WORDS_AT = TILE_AT + 4 * TILE_WORDS
/** "expand 32-byte k", the first row of the state (RFC 8439, section 2.3). Counter and nonce, its last row, stay zero. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

/** Lives in a WebAssembly memory of its own, which never grows: `words` stays valid as long as it is held. */
export class WasmAccumulator implements Accumulator {
  readonly words: Uint32Array
  readonly #kernels: Kernels
  readonly #key: Uint8Array
  readonly #tile: Uint32Array
  readonly #groups: number

  constructor(length: number) {
    // Kernels take whole groups, and at least one: the last is filled up with words that nobody reads.
    this.#groups = Math.max(1, Math.ceil(length / GROUP_WORDS))
    const pages = Math.ceil((WORDS_AT + this.#groups * GROUP_BYTES) / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    new Uint32Array(memory.buffer, STATE_AT).set(CONSTANTS)
    this.#key = new Uint8Array(memory.buffer, KEY_AT, PRG_KEY_BYTES)
    this.#tile = new Uint32Array(memory.buffer, TILE_AT, TILE_WORDS)
    this.words = new Uint32Array(memory.buffer, WORDS_AT, length)
    this.#kernels = instantiate(memory)
  }

  addStream(key: Uint8Array): void {
    this.#stream(key, ADD)
  }

  subtractStream(key: Uint8Array): void {
    this.#stream(key, SUBTRACT)
  }

  addWords(term: Uint32Array): void {
    checkSameLength(this.words, term)
    this.combine(term, 0, ADD)
  }

  /** Adds `term` to the words from `at` on, or subtracts it. `at` is a multiple of 64, and `term` ends inside `words`. */
  protected combine(term: Uint32Array, at: number, sign: Sign): void {
    for (let done = 0; done < term.length; done += TILE_WORDS) {
      const part = term.subarray(done, done + TILE_WORDS)
      this.#tile.set(part)
      this.#kernels.words(TILE_AT, WORDS_AT + 4 * (at + done), Math.ceil(part.length / GROUP_WORDS), sign)
    }
  }

  #stream(key: Uint8Array, sign: Sign): void {
    checkPrgKey(key)
    this.#key.set(key)
    this.#kernels.stream(STATE_AT, WORDS_AT, this.#groups, sign)
    this.#key.fill(0)
  }
}
