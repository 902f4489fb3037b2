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
  store,
  subtract,
  type WasmFunction,
} from './assembler.ts'
import { DOUBLE_ROUND, quarterRound, transpose } from './chacha20.ts'

/** Kernels work on whole groups of four ChaCha20 blocks, one block to each 32-bit lane of a register. */
export const GROUP_WORDS = 64
const BLOCK_BYTES = 64
export const GROUP_BYTES = 4 * GROUP_WORDS

/** What the module exports. Addresses are in bytes and multiples of 16; `groups` is at least 1. */
export interface Kernels {
  /** Adds the keystream of the 16-word state (RFC 8439, section 2.3) at `state` to the groups at `sum`. */
  addStream(state: number, sum: number, groups: number): void
  subtractStream(state: number, sum: number, groups: number): void
  /** Adds the groups at `term` to those at `sum`. */
  addWords(term: number, sum: number, groups: number): void
  subtractWords(term: number, sum: number, groups: number): void
}

type Operator = (a: Code, b: Code) => Code

/** The module's bytes, about 6 KB. */
export function assembleKernels(): Uint8Array<ArrayBuffer> {
  return assemble([
    stream('addStream', add),
    stream('subtractStream', subtract),
    words('addWords', add),
    words('subtractWords', subtract),
  ])
}

function stream(name: string, combine: Operator): WasmFunction {
  const [state, sum, groups, rounds] = [0, 1, 2, 3]
  const start = locals(4, 16) // word w of the state that four blocks begin with, in start[w]
  const mixed = locals(20, 16) // the same after the rounds
  const scratch = locals(36, 8)
  const counter = start[12] as number
  return {
    name,
    params: 3,
    i32Locals: 1,
    v128Locals: 40,
    body: [
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
            return [code, blocks.map((block, b) => combineAt(sum, BLOCK_BYTES * b + 4 * w, get(block), combine))]
          }),
          set(counter, add(get(counter), lanes(4, 4, 4, 4))),
          set(sum, i32Add(get(sum), i32(GROUP_BYTES))),
        ],
        countDown(groups),
      ),
    ],
  }
}

function words(name: string, combine: Operator): WasmFunction {
  const [term, sum, groups] = [0, 1, 2]
  const offsets = locals(0, GROUP_BYTES / 16).map((register) => 16 * register)
  return {
    name,
    params: 3,
    i32Locals: 0,
    v128Locals: 0,
    body: doWhile(
      [
        offsets.map((offset) => combineAt(sum, offset, load(get(term), offset), combine)),
        set(term, i32Add(get(term), i32(GROUP_BYTES))),
        set(sum, i32Add(get(sum), i32(GROUP_BYTES))),
      ],
      countDown(groups),
    ),
  }
}

function combineAt(address: number, offset: number, value: Code, combine: Operator): Code {
  return store(get(address), offset, combine(load(get(address), offset), value))
}

/** `count` numbers of locals from `first` on. */
function locals(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}
