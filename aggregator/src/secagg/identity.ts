import { toHex } from '../core/bytes.ts'
import type { TaskId } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import { hash } from '../crypto/kdf.ts'
import type { Certificate, RosterEntry } from '../wire/records.ts'

/** Signs that `identityKey` may take part until `notAfter` (Unix seconds). Runs where the enrolment key lives, off the server. */
export function certify(curves: Curves, enrolmentSeed: Uint8Array, identityKey: Uint8Array, notAfter: number): Certificate {
  return { identityKey, notAfter, signature: curves.sign(enrolmentSeed, certificateStatement(identityKey, notAfter)) }
}

export function verifyCertificate(curves: Curves, enrolmentKey: Uint8Array, certificate: Certificate, now: number): boolean {
  const { identityKey, notAfter, signature } = certificate
  return notAfter * 1000 > now && curves.verify(enrolmentKey, certificateStatement(identityKey, notAfter), signature)
}

/** What an identity signs once a connection: this channel key is mine, for this task and this coordinator. */
export function channelStatement(task: TaskId, channelKey: Uint8Array, coordinatorKey: Uint8Array): Uint8Array {
  return hash('fw1/channel', task, channelKey, coordinatorKey)
}

/** What an identity signs to prove that it is on the other end of this very connection. */
export function proofStatement(nonce: Uint8Array, task: TaskId, channelKey: Uint8Array): Uint8Array {
  return hash('fw1/proof', nonce, task, channelKey)
}

/** What the operator signs for each run of the server. */
export function coordinatorStatement(coordinatorKey: Uint8Array): Uint8Array {
  return hash('fw1/coordinator', coordinatorKey)
}

export interface RosterCheck {
  readonly curves: Curves
  readonly task: TaskId
  readonly coordinatorKey: Uint8Array
  readonly enrolmentKey: Uint8Array
  /** Unix milliseconds. */
  readonly now: number
  /** Remembers entries whose two signatures held, over rounds: they are the costly part of a start. */
  readonly verified: Set<string>
}

/** An entry's certificate is in force and its identity signed its channel key. */
export function verifyRosterEntry(check: RosterCheck, entry: RosterEntry): boolean {
  const { certificate, channelKey, channelSignature } = entry
  if (certificate.notAfter * 1000 <= check.now) return false
  const statement = channelStatement(check.task, channelKey, check.coordinatorKey)
  const memo = toHex(
    hash(check.enrolmentKey, certificate.identityKey, certificate.notAfter, certificate.signature, statement, channelSignature),
  )
  if (check.verified.has(memo)) return true
  const ok =
    verifyCertificate(check.curves, check.enrolmentKey, certificate, check.now) &&
    check.curves.verify(certificate.identityKey, statement, channelSignature)
  if (ok) check.verified.add(memo)
  return ok
}

function certificateStatement(identityKey: Uint8Array, notAfter: number): Uint8Array {
  return hash('fw1/certificate', identityKey, notAfter)
}
