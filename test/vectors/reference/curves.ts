import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign, verify } from 'node:crypto'
import { join, unhex } from './bytes.ts'

// RFC 8410: the bytes of a key's DER form in front of the 32 raw ones.
const SECRET = { X25519: '302e020100300506032b656e04220420', Ed25519: '302e020100300506032b657004220420' }
const PUBLIC = { X25519: '302a300506032b656e032100', Ed25519: '302a300506032b6570032100' }
type Curve = keyof typeof SECRET

const secretKey = (curve: Curve, secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: join(unhex(SECRET[curve]), secret), format: 'der', type: 'pkcs8' })
const publicKey = (curve: Curve, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: join(unhex(PUBLIC[curve]), raw), format: 'der', type: 'spki' })

export const publicOf = (curve: Curve, secret: Uint8Array): Buffer =>
  createPublicKey(secretKey(curve, secret)).export({ format: 'der', type: 'spki' }).subarray(-32)
export const x25519 = (secret: Uint8Array, raw: Uint8Array): Buffer =>
  diffieHellman({ privateKey: secretKey('X25519', secret), publicKey: publicKey('X25519', raw) })
export const ed25519 = (seed: Uint8Array, message: Uint8Array): Buffer => sign(null, message, secretKey('Ed25519', seed))
export const holds = (raw: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  verify(null, message, publicKey('Ed25519', raw), signature)
