/**
 * The part of the WebAssembly binary format (core specification 2.0, chapter 5) that our kernels use. Instructions are
 * written as expressions, operands inside operators, so that a kernel reads like the formula it computes.
 */

/** Bytes of the format, nested as they were put together. */
export type Code = readonly (number | Code)[]

/** A function with i32 parameters and no result. Locals are numbered: parameters, then those of i32, of i64 and of v128. */
export interface WasmFunction {
  readonly name: string
  readonly params: number
  readonly i32Locals?: number
  readonly i64Locals?: number
  readonly v128Locals?: number
  readonly body: Code
}

const I32 = 0x7f
const I64 = 0x7e
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

const localsOf = ({ i32Locals = 0, i64Locals = 0, v128Locals = 0 }: WasmFunction): Code =>
  vector([
    [unsigned(i32Locals), I32],
    [unsigned(i64Locals), I64],
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
export const i32And = (a: Code, b: Code): Code => [a, b, 0x71]

// i64
export const i64Or = (a: Code, b: Code): Code => [a, b, 0x84]
export const i64ShiftLeft = (a: Code, bits: number): Code => [a, 0x42, signed(bits), 0x86]
export const i64ShiftRight = (a: Code, bits: number): Code => [a, 0x42, signed(bits), 0x88]
export const i64ToI32 = (a: Code): Code => [a, 0xa7]
export const i32ToI64 = (a: Code): Code => [a, 0xad]

// Memory: offsets in bytes; the number after a memory opcode is the alignment's exponent, 0 for any byte
export const i32Load = (address: Code, offset: number): Code => [address, 0x28, 2, unsigned(offset)]
export const i32Store = (address: Code, offset: number, value: Code): Code => [address, value, 0x36, 2, unsigned(offset)]
export const i64Load = (address: Code, offset: number): Code => [address, 0x29, 0, unsigned(offset)]
export const i64Store = (address: Code, offset: number, value: Code): Code => [address, value, 0x37, 0, unsigned(offset)]
export const load = (address: Code, offset: number): Code => [address, simd(0x00), 4, unsigned(offset)]
/** The 32-bit word at the address, in all four lanes. */
export const loadSplat = (address: Code, offset: number): Code => [address, simd(0x09), 2, unsigned(offset)]
/** The 64-bit word at the address, in both halves. */
export const load64Splat = (address: Code, offset: number): Code => [address, simd(0x0a), 3, unsigned(offset)]
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
export const multiply = (a: Code, b: Code): Code => [a, b, simd(0xb5)]

// v128 as two lanes of float64
export const doubles = (value: number): Code => [simd(0x0c), [...new Uint8Array(Float64Array.of(value, value).buffer)]]
/** The lower two of four float32. */
export const doublesOfFloats = (a: Code): Code => [a, simd(0x5f)]
/** The lower two of four unsigned words. */
export const doublesOfWords = (a: Code): Code => [a, simd(0xff)]
export const f64Floor = (a: Code): Code => [a, simd(0x75)]
export const f64Negate = (a: Code): Code => [a, simd(0xed)]
export const f64Add = (a: Code, b: Code): Code => [a, b, simd(0xf0)]
export const f64Subtract = (a: Code, b: Code): Code => [a, b, simd(0xf1)]
export const f64Multiply = (a: Code, b: Code): Code => [a, b, simd(0xf2)]
export const f64Least = (a: Code, b: Code): Code => [a, b, simd(0xf6)]
export const f64Most = (a: Code, b: Code): Code => [a, b, simd(0xf7)]

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
