import { randomBytes } from 'node:crypto'
import { type Certificate, type ClientId, certificate, certify, clientIdOf, encode } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { type ClientStore, memoryStore } from '@fedweave/client'

/** Certificates of a bench outlive it. */
const NOT_AFTER = 4_000_000_000

/** A new identity that a server will let in, and the store that holds it. */
export interface Certified {
  readonly id: ClientId
  readonly seed: Uint8Array
  readonly certificate: Certificate
  readonly store: ClientStore
}

/** `enrolmentSeed`: of the key that the server trusts; the bench is its own enrolment service. */
export async function newCertified(enrolmentSeed: Uint8Array): Promise<Certified> {
  const store = memoryStore()
  const { seed } = await store.identity(() => new Uint8Array(randomBytes(32)))
  const identityKey = nodeCurves.ed25519Public(seed)
  const certified = certify(nodeCurves, enrolmentSeed, identityKey, NOT_AFTER)
  await store.saveCertificate(encode(certificate, certified))
  return { id: clientIdOf(identityKey), seed, certificate: certified, store }
}
