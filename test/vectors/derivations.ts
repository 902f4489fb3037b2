import { encode, expand, noblePrg, pairKey } from '@fedweave/aggregator'
import { rosterHash, sealKey } from '../../aggregator/src/secagg/context.ts'
import { selfMask } from '../../aggregator/src/secagg/masks.ts'
import { commitTo, seedCommitment } from '../../aggregator/src/secagg/shares.ts'
import { clientIdCodec, list } from '../../aggregator/src/wire/codec.ts'
import { MAX_COHORT, member, places, rosterEntry } from '../../aggregator/src/wire/records.ts'
import { hexed } from './hex.ts'
import { abortMac, ackMac, confirmMac, masksOf } from './round.ts'
import {
  activePlaces,
  clients,
  configHash,
  context,
  coordinatorKey,
  curves,
  graph,
  headHash,
  known,
  members,
  modelHash,
  ROUND,
  roster,
  sealSharedOf,
  sharedOf,
  survivorIds,
  task,
  u1ActiveDigest,
  u1Digest,
  u2Digest,
  type VectorClient,
} from './world.ts'

const PURPOSES = ['box', 'ack', 'confirm', 'abort'] as const
const [lower, higher] = [known(clients[0]), known(clients[1])]

export function contextVectors() {
  const encodedRoster = encode(list(rosterEntry, MAX_COHORT), roster)
  return hexed({
    facts: { task, round: ROUND, modelHash, configHash, headHash, coordinatorKey },
    graph,
    roster: { encoded: encodedRoster, hash: rosterHash(roster), ids: clients.map(({ id }) => id) },
    context,
    u1: { encoded: encode(list(member, MAX_COHORT), members), digest: u1Digest },
    active: { encoded: encode(places(MAX_COHORT), activePlaces), places: activePlaces, digest: u1ActiveDigest },
    u2: { encoded: encode(list(clientIdCodec, MAX_COHORT), survivorIds), digest: u2Digest },
  })
}

/** All between the first two clients of the roster, in both directions, and between the first and the coordinator. */
export function keyVectors() {
  const shared = sharedOf(lower, higher)
  const directions = [
    [lower, higher],
    [higher, lower],
  ] as const
  const sealShared = sealSharedOf(lower)
  const shares = { maskKeyShare: known(lower.maskKeyShares[1]), selfSeedShare: known(lower.selfSeedShares[1]) }
  return hexed({
    context,
    pair: {
      secret: lower.channelSecret,
      publicKey: higher.channelKey,
      shared,
      keys: directions.flatMap(([from, to]) =>
        PURPOSES.map((purpose) => ({
          purpose,
          from: from.id,
          to: to.id,
          key: pairKey(shared, context, purpose, from.id, to.id),
        })),
      ),
    },
    macs: directions.flatMap(([from, to]) => [
      { purpose: 'ack', from: from.id, to: to.id, fields: [context, u1Digest, from.maskKey, to.maskKey], mac: ackMac(from, to) },
      { purpose: 'confirm', from: from.id, to: to.id, fields: [u2Digest], mac: confirmMac(from, to) },
      { purpose: 'abort', from: from.id, to: to.id, fields: [context], mac: abortMac(from, to) },
    ]),
    seal: {
      publicKey: coordinatorKey,
      shared: sealShared,
      client: lower.id,
      upload: sealKey(sealShared, context, 'upload', lower.id),
      unmask: sealKey(sealShared, context, 'unmask', lower.id),
    },
    commitments: {
      dealer: lower.id,
      holder: higher.id,
      ...shares,
      commitments: commitTo(context, lower.id, higher.id, shares),
      selfSeed: lower.selfSeed,
      selfSeedCommitment: seedCommitment(context, lower.id, lower.selfSeed),
    },
  })
}

const FIRST = 8
const words = (key: Uint8Array) => [...expand(noblePrg, key, FIRST)]

export function maskVectors() {
  const self = selfMask(lower.selfSeed, context, u1ActiveDigest, lower.id)
  return hexed({
    context,
    activeDigest: u1ActiveDigest,
    self: { id: lower.id, seed: lower.selfSeed, ...keysAndWords(self) },
    pairs: [pair(lower, higher), pair(higher, lower)],
  })
}

/** The mask that `mine` adds (sign 1) or subtracts (sign -1) for its pair with `theirs`. */
function pair(mine: VectorClient, theirs: VectorClient) {
  const place = clients.filter((client) => client !== mine).indexOf(theirs)
  const { sign, keys } = known(masksOf(mine)[1 + place])
  return {
    mine: mine.id,
    theirs: theirs.id,
    secret: mine.maskSecret,
    publicKey: theirs.maskKey,
    raw: known(curves.x25519(mine.maskSecret, theirs.maskKey)),
    sign,
    ...keysAndWords(keys),
  }
}

function keysAndWords(keys: { readonly update: Uint8Array; readonly counters: Uint8Array }) {
  return {
    update: { key: keys.update, words: words(keys.update) },
    counters: { key: keys.counters, words: words(keys.counters) },
  }
}
