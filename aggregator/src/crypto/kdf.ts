import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes, utf8, wipe } from '../core/bytes.ts'

export { sha256 }

export const HASH_BYTES = 32
export const MAC_BYTES = 16

/** A field of a hashed tuple: text is UTF-8, a number is an unsigned 64-bit big-endian integer. */
export type Field = Uint8Array | string | number

/**
 * Unambiguous bytes of a tuple: every field is prefixed with its length as u32, big-endian, so that no two tuples
 * share an encoding.
 */
export function tuple(...fields: readonly Field[]): Uint8Array {
  const parts = fields.map((f) => (typeof f === 'string' ? utf8(f) : typeof f === 'number' ? u64(f) : f))
  const out = new Uint8Array(parts.reduce((n, p) => n + 4 + p.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length)
    out.set(part, at + 4)
    at += 4 + part.length
  }
  return out
}

/** SHA-256 over `tuple(...fields)`. */
export function hash(...fields: readonly Field[]): Uint8Array {
  return sha256(tuple(...fields))
}

/** HKDF-SHA-256 (RFC 5869), 32 bytes. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return hkdfEach(ikm, salt, [info])[0] as Uint8Array
}

/** `hkdf` for each of `infos`; they share the extraction, which is half of the work. */
export function hkdfEach(ikm: Uint8Array, salt: Uint8Array, infos: readonly Uint8Array[]): Uint8Array[] {
  const key = extract(sha256, ikm, salt)
  const keys = infos.map((info) => expand(sha256, key, info, HASH_BYTES))
  wipe(key)
  return keys
}

/** HMAC-SHA-256 (RFC 2104) over `tuple(...fields)`, cut to 16 bytes. */
export function mac(key: Uint8Array, ...fields: readonly Field[]): Uint8Array {
  return hmac(sha256, key, tuple(...fields)).slice(0, MAC_BYTES)
}

/** Compares in constant time. */
export function verifyMac(received: Uint8Array, key: Uint8Array, ...fields: readonly Field[]): boolean {
  return equalBytes(received, mac(key, ...fields))
}

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}
