import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign, verify } from 'node:crypto'
import { equalBytes } from '../core/bytes.ts'
import { type Curves, KEY_BYTES, nonZero, SIGNATURE_BYTES } from '../crypto/curves.ts'

type Curve = 'X25519' | 'Ed25519'

/**
 * Key objects of secrets, for as long as the secret's own array lives: one secret meets hundreds of public keys in a
 * round. The bytes are compared, so that an array which was wiped or filled anew never stands for its old secret.
 */
const known = new WeakMap<Uint8Array, { readonly curve: Curve; readonly bytes: Uint8Array; readonly key: KeyObject }>()

function privateKey(curve: Curve, secret: Uint8Array): KeyObject {
  const before = known.get(secret)
  if (before !== undefined && before.curve === curve && equalBytes(before.bytes, secret)) return before.key
  // Of a private key Node reads `d` alone and derives the public half itself.
  const key = createPrivateKey({ key: { kty: 'OKP', crv: curve, d: base64(secret), x: '' }, format: 'jwk' })
  known.set(secret, { curve, bytes: secret.slice(), key })
  return key
}

/** As a JSON Web Key (RFC 8037), because OpenSSL 3 takes ten times as long to parse the DER form. */
function publicKey(curve: Curve, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64(raw) }, format: 'jwk' })
}

function publicOf(curve: Curve, secret: Uint8Array): Uint8Array {
  const { x } = createPublicKey(privateKey(curve, secret)).export({ format: 'jwk' })
  return Uint8Array.from(Buffer.from(x as string, 'base64url'))
}

function base64(raw: Uint8Array): string {
  if (raw.length !== KEY_BYTES) throw new RangeError(`expected ${KEY_BYTES} bytes, got ${raw.length}`)
  return Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('base64url')
}

/** OpenSSL's curves, through Node: the same bytes as `naclCurves`, 20 to 80 times as fast. */
export const nodeCurves: Curves = {
  name: 'node:crypto',
  x25519Public: (secret) => publicOf('X25519', secret),
  x25519(secret, peer) {
    const keys = { privateKey: privateKey('X25519', secret), publicKey: publicKey('X25519', peer) }
    try {
      return nonZero(Uint8Array.from(diffieHellman(keys)))
    } catch {
      return undefined // OpenSSL refuses to derive an all-zero secret
    }
  },
  ed25519Public: (seed) => publicOf('Ed25519', seed),
  sign: (seed, message) => Uint8Array.from(sign(null, message, privateKey('Ed25519', seed))),
  verify(raw, message, signature) {
    if (raw.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
    return verify(null, message, publicKey('Ed25519', raw), signature)
  },
}
