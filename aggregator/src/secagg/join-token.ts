import type { Curves } from '../crypto/curves.ts'
import { hash } from '../crypto/kdf.ts'
import { struct, u64, type ValueOf } from '../wire/codec.ts'
import { type Certificate, certificate, signature64 } from '../wire/records.ts'

/** How far a join token's time may be from the server's clock, in milliseconds, either way. */
export const JOIN_TOKEN_MS = 300_000

/**
 * What a client shows before a connection is opened at all: its certificate, the time (Unix milliseconds), and its identity's
 * signature over both. It keeps strangers out; who is on the connection is proved on it, by the challenge.
 */
export const joinToken = struct({ certificate, at: u64, signature: signature64 })
export type JoinToken = ValueOf<typeof joinToken>

export function signJoinToken(curves: Curves, identitySeed: Uint8Array, certificate: Certificate, at: number): JoinToken {
  return { certificate, at, signature: curves.sign(identitySeed, joinStatement(certificate.identityKey, at)) }
}

/** Whether the identity signed it near `now`; the certificate is checked apart. */
export function verifyJoinToken(curves: Curves, { certificate, at, signature }: JoinToken, now: number): boolean {
  const { identityKey } = certificate
  return Math.abs(now - at) <= JOIN_TOKEN_MS && curves.verify(identityKey, joinStatement(identityKey, at), signature)
}

function joinStatement(identityKey: Uint8Array, at: number): Uint8Array {
  return hash('fw1/join', identityKey, at)
}
