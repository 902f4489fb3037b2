import { type Accumulator, checkPrgKey, checkSameLength, PRG_KEY_BYTES } from '../crypto/prg.ts'
import { ADD, GROUP_BYTES, GROUP_WORDS, type Kernels, type Sign, SUBTRACT } from './kernels.ts'
import { instantiate, instantiateRing } from './module.ts'
import { PACK_WORDS, type RingKernels } from './ring-kernels.ts'

const PAGE_BYTES = 65_536
// The memory: the cipher's state, the quantiser's range, a scratch tile for what comes from outside or goes there, the words.
const STATE_AT = 0
const KEY_AT = 16
const RANGE_AT = 64
const TILE_AT = 128
/** 16 KiB: the tile and the words it is added to stay in the first-level cache. */
const TILE_WORDS = 4096
/** Words that are packed at once: half a tile, because packing writes a little more than it packs. */
const PACKED_WORDS = TILE_WORDS / 2
const WORDS_AT = TILE_AT + 4 * TILE_WORDS
/** "expand 32-byte k", the first row of the state (RFC 8439, section 2.3). Counter and nonce, its last row, stay zero. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

/** Lives in a WebAssembly memory of its own, which never grows: `words` stays valid as long as it is held. */
export class WasmAccumulator implements Accumulator {
  readonly words: Uint32Array
  readonly #memory: WebAssembly.Memory
  readonly #kernels: Kernels
  readonly #key: Uint8Array
  readonly #tile: Uint32Array
  readonly #groups: number
  #ring: { readonly bits: number; readonly kernels: RingKernels } | undefined

  constructor(length: number) {
    // Kernels take whole groups, and at least one: the last is filled up with words that nobody reads.
    this.#groups = Math.max(1, Math.ceil(length / GROUP_WORDS))
    const pages = Math.ceil((WORDS_AT + this.#groups * GROUP_BYTES) / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.#memory = memory
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

  encode(delta: Float32Array, quanta: number, most: number, weight: number): void {
    checkSameLength(this.words, delta)
    new Float64Array(this.#memory.buffer, RANGE_AT).set([quanta, most])
    const floats = new Float32Array(this.#memory.buffer, TILE_AT, TILE_WORDS)
    for (let at = 0; at < delta.length; at += TILE_WORDS) {
      const part = delta.subarray(at, at + TILE_WORDS)
      floats.set(part)
      this.#kernels.encode(RANGE_AT, TILE_AT, WORDS_AT + 4 * at, Math.ceil(part.length / 4), weight)
    }
  }

  packInto(packed: Uint8Array, bits: number): void {
    const kernels = this.#ringKernels(bits)
    for (const { part, tile, wordsAt, groups } of this.#partsOf(packed, bits)) {
      kernels.pack(wordsAt, TILE_AT, groups)
      part.set(tile)
    }
    const unused = 8 * packed.length - bits * this.words.length
    const last = packed.length - 1
    if (unused > 0) packed[last] = (packed[last] as number) & (0xff >>> unused)
  }

  addPacked(packed: Uint8Array, bits: number): void {
    const kernels = this.#ringKernels(bits)
    for (const { part, tile, wordsAt, groups } of this.#partsOf(packed, bits)) {
      tile.set(part)
      kernels.addPacked(TILE_AT, wordsAt, groups)
    }
  }

  /** Adds `term` to the words from `at` on, or subtracts it. `at` is a multiple of 64, and `term` ends inside `words`. */
  protected combine(term: Uint32Array, at: number, sign: Sign): void {
    for (let done = 0; done < term.length; done += TILE_WORDS) {
      const part = term.subarray(done, done + TILE_WORDS)
      this.#tile.set(part)
      this.#kernels.words(TILE_AT, WORDS_AT + 4 * (at + done), Math.ceil(part.length / GROUP_WORDS), sign)
    }
  }

  #ringKernels(bits: number): RingKernels {
    if (this.#ring?.bits !== bits) this.#ring = { bits, kernels: instantiateRing(this.#memory, bits) }
    return this.#ring.kernels
  }

  /** Parts of `packed`, each with as many bytes of the tile, and the address of its words. */
  *#partsOf(packed: Uint8Array, bits: number) {
    const bytes = (PACKED_WORDS / PACK_WORDS) * bits
    for (let i = 0; i * bytes < packed.length; i++) {
      const part = packed.subarray(i * bytes, (i + 1) * bytes)
      const tile = new Uint8Array(this.#memory.buffer, TILE_AT, part.length)
      yield { part, tile, wordsAt: WORDS_AT + 4 * PACKED_WORDS * i, groups: Math.ceil(part.length / bits) }
    }
  }

  #stream(key: Uint8Array, sign: Sign): void {
    checkPrgKey(key)
    this.#key.set(key)
    this.#kernels.stream(STATE_AT, WORDS_AT, this.#groups, sign)
    this.#key.fill(0)
  }
}
