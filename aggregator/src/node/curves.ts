import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign, verify } from 'node:crypto'
import { type Curves, KEY_BYTES, nonZero, SIGNATURE_BYTES } from '../crypto/curves.ts'

/** DER prefixes of RFC 8410 keys: what OpenSSL wants in front of the 32 raw bytes. */
const PREFIX = {
  x25519: { pkcs8: '302e020100300506032b656e04220420', spki: '302a300506032b656e032100' },
  ed25519: { pkcs8: '302e020100300506032b657004220420', spki: '302a300506032b6570032100' },
} as const

type Kind = keyof typeof PREFIX

function privateKey(kind: Kind, secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: der(PREFIX[kind].pkcs8, secret), format: 'der', type: 'pkcs8' })
}

function publicKey(kind: Kind, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: der(PREFIX[kind].spki, raw), format: 'der', type: 'spki' })
}

function der(prefix: string, raw: Uint8Array): Buffer {
  if (raw.length !== KEY_BYTES) throw new RangeError(`expected ${KEY_BYTES} bytes, got ${raw.length}`)
  return Buffer.concat([Buffer.from(prefix, 'hex'), raw])
}

/** The public half of a secret, raw: the last 32 bytes of its DER form. */
function publicOf(kind: Kind, secret: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKey(kind, secret)).export({ format: 'der', type: 'spki' })
  return Uint8Array.from(spki.subarray(spki.length - KEY_BYTES))
}

/** OpenSSL's curves, through Node: the same bytes as `naclCurves`, 20 to 80 times as fast. */
export const nodeCurves: Curves = {
  name: 'node:crypto',
  x25519Public: (secret) => publicOf('x25519', secret),
  x25519(secret, peer) {
    const keys = { privateKey: privateKey('x25519', secret), publicKey: publicKey('x25519', peer) }
    try {
      return nonZero(Uint8Array.from(diffieHellman(keys)))
    } catch {
      return undefined // OpenSSL refuses to derive an all-zero secret
    }
  },
  ed25519Public: (seed) => publicOf('ed25519', seed),
  sign: (seed, message) => Uint8Array.from(sign(null, message, privateKey('ed25519', seed))),
  verify(raw, message, signature) {
    if (raw.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
    return verify(null, message, publicKey('ed25519', raw), signature)
  },
}
