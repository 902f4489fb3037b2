import { type Certificate, certify, FedweaveError, hash } from '@fedweave/aggregator'
import type { Hub } from './hub.ts'

const CERTIFICATE_DAYS = 90

/**
 * Open enrolment, for servers that hold the enrolment key themselves: whoever asks is certified. Such a server could
 * certify clients of its own making, so its tasks say "honest-but-curious server only". `proof`: the identity's signature
 * over ("fw1/enrol", identity key). Throws `FL_CERTIFICATE_INVALID` where enrolment is not open, `FL_IDENTITY_PROOF`.
 */
export function certifyOnRequest(
  { keys, enrolmentSeed }: Pick<Hub, 'keys' | 'enrolmentSeed'>,
  identityKey: Uint8Array,
  proof: Uint8Array,
): Certificate {
  if (enrolmentSeed === undefined) {
    throw new FedweaveError(
      'FL_CERTIFICATE_INVALID',
      'this server takes only identities that the enrolment key off the server certified',
    )
  }
  if (!keys.curves.verify(identityKey, hash('fw1/enrol', identityKey), proof)) {
    throw new FedweaveError('FL_IDENTITY_PROOF', 'the proof is not a signature of the identity key')
  }
  const notAfter = Math.floor(Date.now() / 1000) + CERTIFICATE_DAYS * 86_400
  return certify(keys.curves, enrolmentSeed, identityKey, notAfter)
}
