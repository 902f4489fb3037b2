import { chacha20 } from '@noble/ciphers/chacha.js'
import { wipe } from '../core/bytes.ts'
import { type Accumulator, checkPrgKey, checkSameLength, type Prg } from './prg.ts'

const NONCE = new Uint8Array(12)
const TILE_BLOCKS = 256
const TILE_WORDS = 16 * TILE_BLOCKS

/** Plain JavaScript over `@noble/ciphers`: runs everywhere, several times slower than WebAssembly or OpenSSL. */
export const noblePrg: Prg = {
  name: 'noble',
  accumulator: (length) => new NobleAccumulator(length),
}

class NobleAccumulator implements Accumulator {
  readonly words: Uint32Array

  constructor(length: number) {
    this.words = new Uint32Array(length)
  }

  addStream(key: Uint8Array): void {
    this.#forEachTile(key, addInto)
  }

  subtractStream(key: Uint8Array): void {
    this.#forEachTile(key, subtractFrom)
  }

  addWords(term: Uint32Array): void {
    checkSameLength(this.words, term)
    addInto(this.words, term)
  }

  #forEachTile(key: Uint8Array, combine: (sum: Uint32Array, term: Uint32Array) => void): void {
    checkPrgKey(key)
    const tile = new Uint32Array(Math.min(TILE_WORDS, this.words.length))
    const bytes = new Uint8Array(tile.buffer)
    for (let at = 0, block = 0; at < this.words.length; at += TILE_WORDS, block += TILE_BLOCKS) {
      wipe(tile) // the cipher XORs its stream over zeros
      chacha20(key, NONCE, bytes, bytes, block)
      const part = this.words.subarray(at, at + TILE_WORDS)
      combine(part, tile.subarray(0, part.length))
    }
    wipe(tile)
  }
}

function addInto(sum: Uint32Array, term: Uint32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = ((sum[i] as number) + (term[i] as number)) | 0
}

function subtractFrom(sum: Uint32Array, term: Uint32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = ((sum[i] as number) - (term[i] as number)) | 0
}
