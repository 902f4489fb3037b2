import {
  add,
  assemble,
  type Code,
  countDown,
  doWhile,
  get,
  i32,
  i32Add,
  lanes,
  load,
  loadSplat,
  set,
  splat,
  store,
  subtract,
  type WasmFunction,
  xor,
} from './assembler.ts'
import { DOUBLE_ROUND, quarterRound, transpose } from './chacha20.ts'
import { encode } from './encode.ts'

/** Kernels work on whole groups of four ChaCha20 blocks, one block to each 32-bit lane of a register. */
export const GROUP_WORDS = 64
export const GROUP_BYTES = 4 * GROUP_WORDS
const BLOCK_BYTES = GROUP_BYTES / 4

export const ADD = 0
export const SUBTRACT = -1
export type Sign = typeof ADD | typeof SUBTRACT

/** What the module exports. Addresses are in bytes and multiples of 16; `groups` is at least 1. */
export interface Kernels {
  /** Adds to the groups at `sum` the keystream of the 16-word state (RFC 8439, section 2.3) at `state`, or subtracts it. */
  stream(state: number, sum: number, groups: number, sign: Sign): void
  /** Adds the groups at `term` to those at `sum`, or subtracts them. */
  words(term: number, sum: number, groups: number, sign: Sign): void
  /**
   * Replaces `quads` times four random words at `words` by the coordinates at `delta` in quanta, rounded by them, times `weight`: what
   * `Quantiser.encode` does. `range`: the quanta of 1, and the most quanta that a coordinate has, as float64.
   */
  encode(range: number, delta: number, words: number, quads: number, weight: number): void
}

/** The module's bytes: below 4 KiB, beyond which older Chromes refuse to compile at once on a page's main thread. */
export function assembleKernels(): Uint8Array<ArrayBuffer> {
  return assemble([stream(), words(), encode()])
}

function stream(): WasmFunction {
  const [state, sum, groups, sign, rounds, signs] = [0, 1, 2, 3, 4, 5]
  const start = locals(6, 16) // word w of the state that four blocks begin with, in start[w]
  const mixed = locals(22, 16) // the same after the rounds
  const scratch = locals(38, 8)
  const counter = start[12] as number
  return {
    name: 'stream',
    params: 4,
    i32Locals: 1,
    v128Locals: 41,
    body: [
      set(signs, splat(get(sign))),
      start.map((local, w) => set(local, loadSplat(get(state), 4 * w))),
      set(counter, add(get(counter), lanes(0, 1, 2, 3))),
      doWhile(
        [
          mixed.map((local, w) => set(local, get(start[w] as number))),
          set(rounds, i32(10)),
          doWhile(
            DOUBLE_ROUND.map((quarter) => quarterRound(quarter.map((w) => mixed[w] as number))),
            countDown(rounds),
          ),
          mixed.map((local, w) => set(local, add(get(local), get(start[w] as number)))),
          [0, 4, 8, 12].map((w) => {
            const { code, blocks } = transpose(mixed.slice(w, w + 4), scratch)
            return [code, blocks.map((block, b) => combine(sum, BLOCK_BYTES * b + 4 * w, get(block), signs))]
          }),
          set(counter, add(get(counter), lanes(4, 4, 4, 4))),
          set(sum, i32Add(get(sum), i32(GROUP_BYTES))),
        ],
        countDown(groups),
      ),
    ],
  }
}

function words(): WasmFunction {
  const [term, sum, groups, sign, signs] = [0, 1, 2, 3, 4]
  const offsets = Array.from({ length: GROUP_BYTES / 16 }, (_, register) => 16 * register)
  return {
    name: 'words',
    params: 4,
    v128Locals: 1,
    body: [
      set(signs, splat(get(sign))),
      doWhile(
        [
          offsets.map((offset) => combine(sum, offset, load(get(term), offset), signs)),
          set(term, i32Add(get(term), i32(GROUP_BYTES))),
          set(sum, i32Add(get(sum), i32(GROUP_BYTES))),
        ],
        countDown(groups),
      ),
    ],
  }
}

/** Adds `value` to the four words at `sum` + `offset`, negated where `signs` is -1: x ^ 0 - 0 = x, x ^ -1 - -1 = -x. */
function combine(sum: number, offset: number, value: Code, signs: number): Code {
  const signed = subtract(xor(value, get(signs)), get(signs))
  return store(get(sum), offset, add(load(get(sum), offset), signed))
}

/** `count` numbers of locals from `first` on. */
function locals(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}
