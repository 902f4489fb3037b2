import { add, type Code, get, or, set, shiftLeft, shiftRight, shuffle, xor } from './assembler.ts'

/** The words each quarter round works on: columns, then diagonals (RFC 8439, section 2.3). */
export const DOUBLE_ROUND: readonly (readonly number[])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
]

type FourLocals = [number, number, number, number]

/** RFC 8439, section 2.1, on four locals that each hold one word of four blocks. */
export function quarterRound(words: readonly number[]): Code {
  const [a, b, c, d] = words as FourLocals
  return [
    set(a, add(get(a), get(b))),
    set(d, xor(get(d), get(a))),
    set(d, shuffle(ROTATE_16, get(d), get(d))),
    set(c, add(get(c), get(d))),
    set(b, xor(get(b), get(c))),
    set(b, or(shiftLeft(get(b), 12), shiftRight(get(b), 20))),
    set(a, add(get(a), get(b))),
    set(d, xor(get(d), get(a))),
    set(d, shuffle(ROTATE_8, get(d), get(d))),
    set(c, add(get(c), get(d))),
    set(b, xor(get(b), get(c))),
    set(b, or(shiftLeft(get(b), 7), shiftRight(get(b), 25))),
  ]
}

// Rotating a lane to the left by whole bytes is one shuffle.
const ROTATE_16 = [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13]
const ROTATE_8 = [3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14]

/** From four locals with one word of four blocks each to four `blocks`, locals with four words of one block each. */
export function transpose(words: readonly number[], scratch: readonly number[]): { code: Code; blocks: readonly number[] } {
  const [w0, w1, w2, w3] = words as FourLocals
  const [low01, low23, high01, high23] = scratch as FourLocals
  const blocks = scratch.slice(4, 8)
  const [b0, b1, b2, b3] = blocks as FourLocals
  const code = [
    set(low01, shuffle(LOW_WORDS, get(w0), get(w1))),
    set(low23, shuffle(LOW_WORDS, get(w2), get(w3))),
    set(high01, shuffle(HIGH_WORDS, get(w0), get(w1))),
    set(high23, shuffle(HIGH_WORDS, get(w2), get(w3))),
    set(b0, shuffle(LOW_HALVES, get(low01), get(low23))),
    set(b1, shuffle(HIGH_HALVES, get(low01), get(low23))),
    set(b2, shuffle(LOW_HALVES, get(high01), get(high23))),
    set(b3, shuffle(HIGH_HALVES, get(high01), get(high23))),
  ]
  return { code, blocks }
}

// Interleavings of two registers: bytes 0 to 15 are the first's, 16 to 31 the second's.
const LOW_WORDS = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]
const HIGH_WORDS = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31]
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
const HIGH_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
