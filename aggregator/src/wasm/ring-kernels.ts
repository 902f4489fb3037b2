import {
  assemble,
  type Code,
  countDown,
  doWhile,
  get,
  i32,
  i32Add,
  i32And,
  i32Load,
  i32Store,
  i32ToI64,
  i64Load,
  i64Or,
  i64ShiftLeft,
  i64ShiftRight,
  i64Store,
  i64ToI32,
  set,
  type WasmFunction,
} from './assembler.ts'

/** Words of `bits` bits that are packed together: they fill `bits` whole bytes. */
export const PACK_WORDS = 8

/**
 * What the module for a ring of some bits exports: the packed form of `Ring`. `groups`: of 8 words, at least 1; their packed
 * form may be read and written up to 7 bytes beyond its end.
 */
export interface RingKernels {
  /** Writes the words, without the bits above the ring, to `packed`. */
  pack(words: number, packed: number, groups: number): void
  /** Adds the words that are packed in `packed` to those at `sum`. */
  addPacked(packed: number, sum: number, groups: number): void
}

/** The module's bytes for rings of `bits` bits, 8 to 32: every shift is a constant. */
export function assembleRingKernels(bits: number): Uint8Array<ArrayBuffer> {
  return assemble([pack(bits), addPacked(bits)])
}

/** Each word goes on top of what the byte it begins in holds already, and is stored with zeros above. */
function pack(bits: number): WasmFunction {
  const [words, packed, groups, held] = [0, 1, 2, 3]
  return {
    name: 'pack',
    params: 3,
    i64Locals: 1,
    body: loop(words, 4 * PACK_WORDS, packed, bits, groups, (i) => {
      const { byte, bit } = startOf(i, bits)
      const word = i64ShiftLeft(i32ToI64(i32And(i32Load(get(words), 4 * i), maskOf(bits))), bit)
      const below = i64ShiftRight(get(held), 8 * (byte - startOf(i - 1, bits).byte))
      return [set(held, i === 0 ? word : i64Or(word, below)), i64Store(get(packed), byte, get(held))]
    }),
  }
}

function addPacked(bits: number): WasmFunction {
  const [packed, sum, groups] = [0, 1, 2]
  return {
    name: 'addPacked',
    params: 3,
    body: loop(packed, bits, sum, 4 * PACK_WORDS, groups, (i) => {
      const { byte, bit } = startOf(i, bits)
      const word = i32And(i64ToI32(i64ShiftRight(i64Load(get(packed), byte), bit)), maskOf(bits))
      return i32Store(get(sum), 4 * i, i32Add(i32Load(get(sum), 4 * i), word))
    }),
  }
}

/** `body` for each word of each group; both addresses move on by their bytes for a group. */
function loop(from: number, fromBytes: number, to: number, toBytes: number, groups: number, body: (i: number) => Code): Code {
  return doWhile(
    [
      Array.from({ length: PACK_WORDS }, (_, i) => body(i)),
      set(from, i32Add(get(from), i32(fromBytes))),
      set(to, i32Add(get(to), i32(toBytes))),
    ],
    countDown(groups),
  )
}

/** Where word `i` of a group begins. */
function startOf(i: number, bits: number): { readonly byte: number; readonly bit: number } {
  return { byte: (i * bits) >> 3, bit: (i * bits) & 7 }
}

function maskOf(bits: number): Code {
  return i32((-1 >>> (32 - bits)) | 0)
}
