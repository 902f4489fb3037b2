import { toHex, utf8 } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import { CLIENT_ID_BYTES, type ClientId, clientIdBytes } from '../core/ids.ts'

/** How one kind of value is written and read. Integers are big-endian; every variable length has a bound. */
export interface Codec<T> {
  write(out: Writer, value: T): void
  /** Throws `FL_MESSAGE_MALFORMED`. */
  read(from: Reader): T
}

export type ValueOf<C> = C extends Codec<infer T> ? T : never

/** One array that grows, because a roster of a thousand clients is a hundred thousand small fields. */
export class Writer {
  private out = new Uint8Array(256)
  private length = 0

  bytes(part: Uint8Array): void {
    const at = this.claim(part.length)
    this.out.set(part, at)
  }

  /** `value`: an unsigned integer below 256^`size`, big-endian. */
  integer(value: number, size: number): void {
    const at = this.claim(size)
    let rest = value
    for (let i = size - 1; i >= 0; i--) {
      this.out[at + i] = rest // mod 256
      rest = Math.floor(rest / 256)
    }
  }

  finish(): Uint8Array {
    return this.out.slice(0, this.length)
  }

  private claim(size: number): number {
    const at = this.length
    this.length += size
    if (this.length > this.out.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.out.length))
      larger.set(this.out)
      this.out = larger
    }
    return at
  }
}

export class Reader {
  private readonly from: Uint8Array
  private at = 0

  constructor(from: Uint8Array) {
    this.from = new Uint8Array(from.buffer, from.byteOffset, from.length) // a Buffer's slice would be no copy
  }

  /** A copy: a caller may keep it while the message's buffer is reused. */
  bytes(length: number): Uint8Array {
    const at = this.claim(length)
    return this.from.slice(at, at + length)
  }

  /** An unsigned integer of `size` bytes, big-endian; inexact above 2^53. */
  integer(size: number): number {
    const at = this.claim(size)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (this.from[at + i] as number)
    return value
  }

  end(): void {
    if (this.at !== this.from.length) throw malformed(`${this.from.length - this.at} bytes follow its end`)
  }

  private claim(length: number): number {
    const at = this.at
    this.at += length
    if (this.at > this.from.length) {
      throw malformed(`it ends after ${this.from.length} bytes, where at least ${this.at} were expected`)
    }
    return at
  }
}

export function malformed(what: string): FedweaveError {
  return new FedweaveError('FL_MESSAGE_MALFORMED', `malformed message: ${what}`)
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const out = new Writer()
  codec.write(out, value)
  return out.finish()
}

/** Reads exactly one value. Throws `FL_MESSAGE_MALFORMED`, also when bytes are left over. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const from = new Reader(bytes)
  const value = codec.read(from)
  from.end()
  return value
}

/** Reads one value, and nothing of what follows it. Throws `FL_MESSAGE_MALFORMED`. */
export function decodeStart<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.read(new Reader(bytes))
}

function integer(size: 1 | 2 | 4 | 8): Codec<number> {
  return {
    write(out, value) {
      if (!Number.isSafeInteger(value) || value < 0 || (size < 8 && value >= 2 ** (8 * size))) {
        throw new RangeError(`${value} is not an unsigned integer of ${size} bytes`)
      }
      out.integer(value, size)
    },
    read(from) {
      const value = from.integer(size)
      if (!Number.isSafeInteger(value)) throw malformed('an integer above 2^53')
      return value
    },
  }
}

export const u8 = integer(1)
export const u16 = integer(2)
export const u32 = integer(4)
/** Unsigned 64-bit on the wire, at most 2^53 - 1 here. */
export const u64 = integer(8)

/** IEEE 754 double; NaN and infinities are malformed. */
export const f64: Codec<number> = {
  write(out, value) {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`)
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value)
    out.bytes(bytes)
  },
  read(from) {
    const value = new DataView(from.bytes(8).buffer).getFloat64(0)
    if (!Number.isFinite(value)) throw malformed('a number that is not finite')
    return value
  },
}

/** Exactly `length` bytes. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    write(out, value) {
      if (value.length !== length) throw new RangeError(`expected ${length} bytes, got ${value.length}`)
      out.bytes(value)
    },
    read: (from) => from.bytes(length),
  }
}

/** At most `max` bytes, after their number. */
export function bytes(max: number): Codec<Uint8Array> {
  return {
    write(out, value) {
      if (value.length > max) throw new RangeError(`at most ${max} bytes fit, got ${value.length}`)
      u32.write(out, value.length)
      out.bytes(value)
    },
    read(from) {
      const length = u32.read(from)
      if (length > max) throw malformed(`${length} bytes where at most ${max} are allowed`)
      return from.bytes(length)
    },
  }
}

/** ASCII text of at most `max` characters: codes, names, versions. */
export function ascii(max: number): Codec<string> {
  const raw = bytes(max)
  return {
    write: (out, value) => raw.write(out, utf8(value)),
    read(from) {
      const value = raw.read(from)
      if (value.some((byte) => byte < 0x20 || byte > 0x7e)) throw malformed('text that is not printable ASCII')
      return String.fromCharCode(...value)
    },
  }
}

export const clientIdCodec: Codec<ClientId> = {
  write: (out, id) => out.bytes(clientIdBytes(id)),
  read: (from) => toHex(from.bytes(CLIENT_ID_BYTES)) as ClientId,
}

/** At most `max` items, after their number. */
export function list<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    write(out, values) {
      if (values.length > max) throw new RangeError(`at most ${max} items fit, got ${values.length}`)
      u32.write(out, values.length)
      for (const value of values) item.write(out, value)
    },
    read(from) {
      const length = u32.read(from)
      if (length > max) throw malformed(`${length} items where at most ${max} are allowed`)
      return Array.from({ length }, () => item.read(from))
    },
  }
}

export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  return {
    write(out, value) {
      u8.write(out, value === undefined ? 0 : 1)
      if (value !== undefined) item.write(out, value)
    },
    read(from) {
      const flag = u8.read(from)
      if (flag > 1) throw malformed(`${flag} where 0 or 1 was expected`)
      return flag === 1 ? item.read(from) : undefined
    },
  }
}

/** The fields in the order in which they are written here. */
export function struct<F extends Record<string, Codec<unknown>>>(
  fields: { [K in keyof F]: F[K] },
): Codec<{ readonly [K in keyof F]: ValueOf<F[K]> }> {
  const entries = Object.entries(fields) as [keyof F, Codec<unknown>][]
  return {
    write(out, value) {
      for (const [name, codec] of entries) codec.write(out, value[name])
    },
    read(from) {
      return Object.fromEntries(entries.map(([name, codec]) => [name, codec.read(from)])) as { [K in keyof F]: ValueOf<F[K]> }
    },
  }
}

type Variants = Record<string, readonly [tag: number, codec: Codec<object>]>
type UnionOf<V extends Variants> = { [K in keyof V]: { readonly type: K } & ValueOf<V[K][1]> }[keyof V]

/** A tagged union: one byte of tag, then that variant's fields; `type` names it in TypeScript. */
export function union<V extends Variants>(variants: V): Codec<UnionOf<V>> {
  const byTag = new Map(Object.entries(variants).map(([type, [tag, codec]]) => [tag, { type, codec }]))
  return {
    write(out, value) {
      const [tag, codec] = variants[value.type as string] as V[string]
      u8.write(out, tag)
      codec.write(out, value)
    },
    read(from) {
      const tag = u8.read(from)
      const variant = byTag.get(tag)
      if (variant === undefined) throw malformed(`unknown message type ${tag}`)
      return { type: variant.type, ...variant.codec.read(from) } as UnionOf<V>
    },
  }
}
