import { hsalsa } from '@noble/ciphers/salsa.js'
import nacl from 'tweetnacl'
import { concat } from '../core/bytes.ts'
import type { Entropy } from '../core/entropy.ts'
import type { Curves } from './curves.ts'

export const NONCE_BYTES = nacl.secretbox.nonceLength
/** What a box adds to its plaintext: nonce and Poly1305 tag. */
export const BOX_OVERHEAD = NONCE_BYTES + nacl.secretbox.overheadLength

const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574) // "expand 32-byte k"

/**
 * NaCl's `crypto_box_beforenm`: HSalsa20(X25519(secret, publicKey), 0). Equal to `nacl.box.before`, with the curve
 * left to `curves`. `undefined` for a low-order public key.
 */
export function sharedKey(curves: Curves, secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const raw = curves.x25519(secret, publicKey)
  if (raw === undefined) return undefined
  const aligned = raw.slice() // a fresh buffer starts at 0, as a Uint32Array view needs
  const out = new Uint32Array(8)
  hsalsa(SIGMA, new Uint32Array(aligned.buffer), new Uint32Array(4), out)
  return new Uint8Array(out.buffer)
}

/** NaCl secretbox under a random nonce, which goes in front. */
export function sealBox(key: Uint8Array, plaintext: Uint8Array, entropy: Entropy): Uint8Array {
  const nonce = entropy.bytes(NONCE_BYTES)
  return concat(nonce, nacl.secretbox(plaintext, nonce, key))
}

/** `undefined` when the box was not made with this key, or was changed. */
export function openBox(key: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD) return undefined
  return nacl.secretbox.open(box.subarray(NONCE_BYTES), box.subarray(0, NONCE_BYTES), key) ?? undefined
}
