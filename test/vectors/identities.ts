import { certify, channelStatement, coordinatorStatement, encode, hash, proofStatement } from '@fedweave/aggregator'
import { certificate } from '../../aggregator/src/wire/records.ts'
import { hexed } from './hex.ts'
import {
  challengeNonce,
  clients,
  coordinatorKey,
  coordinatorSecret,
  curves,
  enrolmentKey,
  enrolmentSeed,
  known,
  operatorKey,
  operatorSeed,
  task,
} from './world.ts'

/** Long-term keys, and everything that they sign apart from journal, config and transcripts. */
export function identityVectors() {
  const { id, identitySeed, identityKey, channelSecret, channelKey, entry } = known(clients[0])
  const signed = (seed: Uint8Array, statement: Uint8Array) => ({ statement, signature: curves.sign(seed, statement) })
  const { notAfter } = entry.certificate
  return hexed({
    operator: { seed: operatorSeed, key: operatorKey },
    enrolment: { seed: enrolmentSeed, key: enrolmentKey },
    coordinator: {
      secret: coordinatorSecret,
      key: coordinatorKey,
      ...signed(operatorSeed, coordinatorStatement(coordinatorKey)),
    },
    client: { id, identitySeed, identityKey, channelSecret, channelKey },
    certificate: {
      notAfter,
      ...signed(enrolmentSeed, hash('fw1/certificate', identityKey, notAfter)),
      encoded: encode(certificate, certify(curves, enrolmentSeed, identityKey, notAfter)),
    },
    channel: { task, ...signed(identitySeed, channelStatement(task, channelKey, coordinatorKey)) },
    proof: { task, nonce: challengeNonce, ...signed(identitySeed, proofStatement(challengeNonce, task, channelKey)) },
    enrol: signed(identitySeed, hash('fw1/enrol', identityKey)),
  })
}
