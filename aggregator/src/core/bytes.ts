import { bytesToUtf8 } from '@noble/ciphers/utils.js'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { FedweaveError } from './errors.ts'

export { bytesToUtf8 as fromUtf8, utf8ToBytes as utf8 }

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Bytes that are written at once. */
const HEX_CHUNK = 256

/**
 * Lowercase hex, made from whole arrays of digits: engines keep a string that grew byte by byte as a chain of so many pieces, which for
 * a key is a kilobyte wherever it is kept.
 */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (let from = 0; from < bytes.length; from += HEX_CHUNK) {
    const digits: number[] = []
    for (const byte of bytes.subarray(from, from + HEX_CHUNK))
      digits.push(DIGITS[byte >> 4] as number, DIGITS[byte & 15] as number)
    hex += String.fromCharCode(...digits)
  }
  return hex
}

/** Parses lowercase or uppercase hex. Throws `FL_OUT_OF_RANGE` when `raw` is not `length` bytes of hex. */
export function fromHex(raw: string, length?: number): Uint8Array {
  const ok = /^([0-9a-f]{2})*$/i.test(raw) && (length === undefined || raw.length === 2 * length)
  if (!ok) throw new FedweaveError('FL_OUT_OF_RANGE', `expected ${length ?? 'whole'} bytes of hex, got ${raw.length} characters`)
  return hexToBytes(raw)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Constant time in the content; the lengths are public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let diff = 0
  for (let i = 0; i < a.length; i++) diff |= (a[i] as number) ^ (b[i] as number)
  return diff === 0
}

/** Lexicographic order of unsigned bytes: the one order of identities, keys and lists. Not for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number)
    if (d !== 0) return d
  }
  return a.length - b.length
}

/** Best effort: JavaScript may have copied the bytes before. */
export function wipe(...secrets: readonly (Uint8Array | Uint32Array)[]): void {
  for (const secret of secrets) secret.fill(0)
}
