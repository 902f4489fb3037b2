/**
 * A second implementation of the protocol's primitives, written from `docs/protocol/v1.md` with `node:crypto` alone, so
 * that the vectors do not only say that the library agrees with itself.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto'

export const unhex = (hex: string): Buffer => Buffer.from(hex, 'hex')
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const join = (...parts: readonly (Uint8Array | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

export function unsigned(value: number, bytes: 1 | 2 | 4 | 8): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out.subarray(8 - bytes)
}

type Field = Uint8Array | string | number

/** Section 3: each field after its length. */
export function tuple(...fields: readonly Field[]): Buffer {
  const parts = fields.map((field) => (typeof field === 'number' ? unsigned(field, 8) : join(field)))
  return join(...parts.flatMap((part) => [unsigned(part.length, 4), part]))
}

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
export const H = (...fields: readonly Field[]): Buffer => sha256(tuple(...fields))
export const MAC = (key: Uint8Array, ...fields: readonly Field[]): Buffer =>
  createHmac('sha256', key)
    .update(tuple(...fields))
    .digest()
    .subarray(0, 16)
export const HKDF = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, 32))
