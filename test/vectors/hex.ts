import { toHex } from '@fedweave/aggregator'

/** A value as the vector files hold it: bytes in hex, an absent field as null. */
export type Hexed<T> = T extends Uint8Array
  ? string
  : T extends undefined
    ? null
    : T extends readonly (infer I)[]
      ? Hexed<I>[]
      : T extends string | number | null
        ? T
        : { [K in keyof T]: Hexed<T[K]> }

export function hexed<T>(value: T): Hexed<T> {
  return plain(value) as Hexed<T>
}

function plain(value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
}
