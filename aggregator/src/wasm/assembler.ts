/**
 * The part of the WebAssembly binary format (core specification 2.0, chapter 5) that our kernels use. Instructions are
 * written as expressions, operands inside operators, so that a kernel reads like the formula it computes.
 */

/** Bytes of the format, nested as they were put together. */
export type Code = readonly (number | Code)[]

/** A function with i32 parameters and no result. Locals are numbered: parameters, then i32 locals, then v128 locals. */
export interface WasmFunction {
  readonly name: string
  readonly params: number
  readonly i32Locals: number
  readonly v128Locals: number
  readonly body: Code
}

const I32 = 0x7f
const V128 = 0x7b
const END = 0x0b

/** A module that imports its memory as `env.memory` and exports `functions` by name. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ params }) => [0x60, vector(Array<Code>(params).fill([I32])), vector([])])
  const imports = [[text('env'), text('memory'), 0x02, 0x00, 1]] // at least one page, no maximum
  const typeOfEach = functions.map((_, index) => unsigned(index))
  const exports = functions.map(({ name }, index) => [text(name), 0x00, unsigned(index)])
  const bodies = functions.map((fn) => sized([localsOf(fn), fn.body, END]))
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d], // "\0asm"
      [0x01, 0x00, 0x00, 0x00], // version 1
      section(1, types),
      section(2, imports),
      section(3, typeOfEach),
      section(7, exports),
      section(10, bodies),
    ]),
  )
}

const localsOf = ({ i32Locals, v128Locals }: WasmFunction): Code =>
  vector([
    [unsigned(i32Locals), I32],
    [unsigned(v128Locals), V128],
  ])

// Control and locals
export const get = (local: number): Code => [0x20, unsigned(local)]
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)]
/** Runs `body`, and again as long as `condition` is not zero. */
export const doWhile = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, END]
/** Takes one from `local` and gives what is left. */
export const countDown = (local: number): Code => [get(local), i32(1), 0x6b, 0x22, unsigned(local)]

// i32
export const i32 = (value: number): Code => [0x41, signed(value)]
export const i32Add = (a: Code, b: Code): Code => [a, b, 0x6a]

// v128 and memory: offsets in bytes; the number after a memory opcode is the alignment's exponent
export const load = (address: Code, offset: number): Code => [address, simd(0x00), 4, unsigned(offset)]
/** The 32-bit word at the address, in all four lanes. */
export const loadSplat = (address: Code, offset: number): Code => [address, simd(0x09), 2, unsigned(offset)]
export const store = (address: Code, offset: number, value: Code): Code => [address, value, simd(0x0b), 4, unsigned(offset)]

// v128 as 16 bytes or 128 bits
/** 16 bytes picked from `a` (0 to 15) and `b` (16 to 31). */
export const shuffle = (bytes: readonly number[], a: Code, b: Code): Code => [a, b, simd(0x0d), bytes]
export const or = (a: Code, b: Code): Code => [a, b, simd(0x50)]
export const xor = (a: Code, b: Code): Code => [a, b, simd(0x51)]

// v128 as four 32-bit lanes
/** Constants from 0 to 255, one a lane. */
export const lanes = (...words: readonly number[]): Code => [simd(0x0c), words.map((word) => [word, 0, 0, 0])]
/** An i32 in all four lanes. */
export const splat = (value: Code): Code => [value, simd(0x11)]
export const shiftLeft = (a: Code, bits: number): Code => [a, i32(bits), simd(0xab)]
export const shiftRight = (a: Code, bits: number): Code => [a, i32(bits), simd(0xad)]
export const add = (a: Code, b: Code): Code => [a, b, simd(0xae)]
export const subtract = (a: Code, b: Code): Code => [a, b, simd(0xb1)]

const simd = (opcode: number): Code => [0xfd, unsigned(opcode)]

// Encodings
const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
const section = (id: number, items: readonly Code[]): Code => [id, sized(vector(items))]
const text = (ascii: string): Code => vector([...ascii].map((char) => [char.charCodeAt(0)]))

function sized(content: Code): Code {
  const bytes = flatten(content)
  return [unsigned(bytes.length), bytes]
}

function flatten(code: Code, into: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') into.push(part)
    else flatten(part, into)
  }
  return into
}

/** LEB128 of a number below 2^31. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, unsigned(value >>> 7)]
}

/** Signed LEB128. */
function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, signed(value >> 7)]
}
