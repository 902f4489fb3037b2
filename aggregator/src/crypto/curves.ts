import nacl from 'tweetnacl'
import { equalBytes } from '../core/bytes.ts'

/**
 * X25519 (RFC 7748) and Ed25519 (RFC 8032). `naclCurves` runs everywhere; a platform may bring a faster one with the
 * same bytes (`@fedweave/aggregator/node`).
 */
export interface Curves {
  readonly name: string
  /** 32-byte public key of a 32-byte secret. */
  x25519Public(secret: Uint8Array): Uint8Array
  /** Raw shared secret, 32 bytes; `undefined` when it is all zero, which a low-order public key forces. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /** 32-byte public key of a 32-byte seed. */
  ed25519Public(seed: Uint8Array): Uint8Array
  /** 64-byte detached signature. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
const ZERO = new Uint8Array(KEY_BYTES)

export const naclCurves: Curves = {
  name: 'tweetnacl',
  x25519Public: (secret) => nacl.scalarMult.base(secret),
  x25519: (secret, publicKey) => nonZero(nacl.scalarMult(secret, publicKey)),
  ed25519Public: (seed) => nacl.sign.keyPair.fromSeed(seed).publicKey,
  sign: (seed, message) => nacl.sign.detached(message, nacl.sign.keyPair.fromSeed(seed).secretKey),
  verify: (publicKey, message, signature) =>
    publicKey.length === KEY_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    nacl.sign.detached.verify(message, signature, publicKey),
}

export function nonZero(shared: Uint8Array): Uint8Array | undefined {
  return equalBytes(shared, ZERO) ? undefined : shared
}
