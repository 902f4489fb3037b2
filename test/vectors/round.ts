import {
  type ClientMessage,
  encode,
  encodeAggregate,
  hash,
  mac,
  nextWeights,
  noblePrg,
  type ServerMessage,
  sha256,
  UpdateFormat,
} from '@fedweave/aggregator'
import { seal, sealedBytes } from '../../aggregator/src/crypto/seal.ts'
import { pairKey, sealKey } from '../../aggregator/src/secagg/context.ts'
import { ENTRY_VERSION, type JournalBody, signEntry } from '../../aggregator/src/secagg/journal.ts'
import { pairMask, type SignedMask, selfMask } from '../../aggregator/src/secagg/masks.ts'
import { boxShares, commitTo, seedCommitment } from '../../aggregator/src/secagg/shares.ts'
import { type UnmaskShares, unmaskShares } from '../../aggregator/src/wire/messages.ts'
import type { DealtShare, Member } from '../../aggregator/src/wire/records.ts'
import {
  active,
  activePlaces,
  clients,
  config,
  configHash,
  context,
  curves,
  dropout,
  genesis,
  headHash,
  known,
  members,
  modelBytes,
  modelHash,
  NOW,
  operatorSeed,
  ROUND,
  roster,
  sealSharedOf,
  sharedOf,
  signedGenesis,
  survivorIds,
  survivors,
  u1ActiveDigest,
  u1Digest,
  u2Digest,
  type VectorClient,
  weights,
} from './world.ts'

type From<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>
type To<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

export const ABORT_STATEMENT = 'aborted, nothing released, shares deleted'

const others = (one: VectorClient) => clients.filter((other) => other !== one)
const othersActive = (one: VectorClient) => active.filter((other) => other !== one)

export function setupOf(dealer: VectorClient): From<'setup'> {
  const nonces = dealer.boxNonces[Symbol.iterator]()
  const member: Member = known(members[clients.indexOf(dealer)])
  const shares = clients.map((holder, i): DealtShare => {
    const dealt = { maskKeyShare: known(dealer.maskKeyShares[i]), selfSeedShare: known(dealer.selfSeedShares[i]) }
    const commitments = commitTo(context, dealer.id, holder.id, dealt)
    if (holder === dealer) return { peer: holder.id, box: new Uint8Array(0), commitments }
    const key = pairKey(sharedOf(dealer, holder), context, 'box', dealer.id, holder.id)
    const entropy = { bytes: () => known(nonces.next().value as Uint8Array | undefined) }
    return { peer: holder.id, box: boxShares(key, context, member, holder.id, dealt, entropy), commitments }
  })
  const selfSeedCommitment = seedCommitment(context, dealer.id, dealer.selfSeed)
  return { type: 'setup', context, maskKey: dealer.maskKey, selfSeedCommitment, shares }
}

export function relayTo(holder: VectorClient): To<'relay'> {
  const place = clients.indexOf(holder)
  const shares = others(holder).map((dealer) => ({ ...known(setupOf(dealer).shares[place]), peer: dealer.id }))
  return { type: 'relay', context, members, shares }
}

export function ackMac(from: VectorClient, to: VectorClient): Uint8Array {
  const key = pairKey(sharedOf(from, to), context, 'ack', from.id, to.id)
  return mac(key, context, u1Digest, from.maskKey, to.maskKey)
}

export function ackOf(one: VectorClient): From<'ack'> {
  return { type: 'ack', context, macs: others(one).map((peer) => ({ peer: peer.id, mac: ackMac(one, peer) })) }
}

export function acksTo(one: VectorClient): To<'acks'> {
  const macs = othersActive(one).map((peer) => ({ peer: peer.id, mac: ackMac(peer, one) }))
  return { type: 'acks', context, active: activePlaces, macs }
}

export function masksOf(one: VectorClient): SignedMask[] {
  const self: SignedMask = { sign: 1, keys: selfMask(one.selfSeed, context, u1ActiveDigest, one.id) }
  const pairs = othersActive(one).map((peer) => known(pairMask(curves, one.maskSecret, one, peer, context, u1ActiveDigest)))
  return [self, ...pairs]
}

/** What the client at that place trained: a delta of norm below the clip bound, except the second one's. */
export function trainedBy(one: VectorClient) {
  const place = clients.indexOf(one)
  const delta = weights.map((_, i) => ((((place + 1) * (i + 3)) % 7) - 3) / 16)
  if (place === 1) delta[0] = 3
  return { delta, examples: 10 + place, loss: 0.5 + place / 8, accuracy: 0.75 }
}

const format = new UpdateFormat(config)

export function updateOf(one: VectorClient) {
  const plain = format.quantise(trainedBy(one), context, noblePrg, { bytes: () => one.roundingKey })
  const sum = format.sum(noblePrg)
  sum.add(plain)
  const masked = sum.masked(masksOf(one))
  const key = sealKey(sealSharedOf(one), context, 'upload', one.id)
  return { plain, masked, key, sealed: seal(key, masked) }
}

export const surviving = () => ({ type: 'survivors', context, survivors: survivorIds }) as const satisfies To<'survivors'>

export function confirmMac(from: VectorClient, to: VectorClient): Uint8Array {
  return mac(pairKey(sharedOf(from, to), context, 'confirm', from.id, to.id), u2Digest)
}

export function confirmOf(one: VectorClient): From<'confirm'> {
  const macs = survivors.filter((peer) => peer !== one).map((peer) => ({ peer: peer.id, mac: confirmMac(one, peer) }))
  return { type: 'confirm', context, macs, signature: curves.sign(one.identitySeed, u2Digest) }
}

export function confirmsTo(one: VectorClient): To<'confirms'> {
  const macs = survivors.filter((peer) => peer !== one).map((peer) => ({ peer: peer.id, mac: confirmMac(peer, one) }))
  return { type: 'confirms', context, macs }
}

/** The shares that `one` gives away: of itself first, then of the others in the order of U1. */
export function answerOf(one: VectorClient) {
  const place = clients.indexOf(one)
  const dealers = [one, ...survivors.filter((dealer) => dealer !== one)]
  const fields: UnmaskShares = {
    selfSeed: dealers.map((dealer) => ({ owner: dealer.id, share: known(dealer.selfSeedShares[place]) })),
    maskKey: [{ owner: dropout.id, share: known(dropout.maskKeyShares[place]) }],
  }
  const plain = encode(unmaskShares, fields)
  const key = sealKey(sealSharedOf(one), context, 'unmask', one.id)
  return { key, fields, plain, sealed: seal(key, plain) }
}

export function unmaskOf(one: VectorClient): From<'unmask'> {
  return { type: 'unmask', context, sealed: answerOf(one).sealed }
}

/** What the coordinator has once the masks are off. */
export function aggregateOf() {
  const sum = format.sum(noblePrg)
  for (const one of survivors) sum.add(updateOf(one).plain)
  return sum.decode(survivors.length, context)
}

export const newWeights = () => nextWeights(config, weights, [aggregateOf()])

export function entryBody(): JournalBody {
  const { weight, counters } = aggregateOf()
  return {
    ...genesis,
    version: ENTRY_VERSION,
    index: 1,
    round: ROUND,
    at: NOW,
    previous: headHash,
    modelBefore: modelHash,
    modelAfter: sha256(modelBytes(newWeights())),
    strategyState: hash('fw1/strategy-state', 'fedavg'),
    aggregates: [sha256(encodeAggregate(aggregateOf()))],
    cohorts: [
      {
        roster,
        members,
        active: activePlaces,
        survivors: survivorIds,
        transcripts: survivors.map((one) => ({ id: one.id, signature: confirmOf(one).signature })),
      },
    ],
    weight,
    training: counters && {
      loss: counters.loss,
      accuracy: counters.accuracy,
      clippedFraction: counters.clippedFraction,
    },
    uploadBytes: sealedBytes(format.plainBytes) + 250, // a plausible HTTP head on top
    evaluation: { examples: 100, loss: 0.6875, accuracy: 0.75, recall: 0.625, rmse: undefined, mae: undefined },
  }
}

export const signedResult = () => signEntry(curves, operatorSeed, entryBody())

export function abortMac(from: VectorClient, to: VectorClient): Uint8Array {
  return mac(pairKey(sharedOf(from, to), context, 'abort', from.id, to.id), context, ABORT_STATEMENT)
}

export const abortedOf = (one: VectorClient): From<'aborted'> => ({
  type: 'aborted',
  context,
  macs: others(one).map((peer) => ({ peer: peer.id, mac: abortMac(one, peer) })),
})

export const startMessage = (): To<'start'> => ({
  type: 'start',
  round: ROUND,
  roster,
  modelHash,
  configHash,
  head: signedGenesis,
})
