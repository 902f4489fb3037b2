import { encode, sparseGraph, splitSecret } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { activeDigest, membersDigest } from '../../aggregator/src/secagg/context.ts'
import { holdersOf, neighboursOf, pickHolders, placesOf } from '../../aggregator/src/secagg/graph.ts'
import { pairMask, selfMask } from '../../aggregator/src/secagg/masks.ts'
import type { GraphParams } from '../../aggregator/src/secagg/params.ts'
import { list } from '../../aggregator/src/wire/codec.ts'
import { MAX_COHORT, type Member, member } from '../../aggregator/src/wire/records.ts'
import { hexed } from './hex.ts'
import { activePlaces, clients, context, curves, known, SEED } from './world.ts'

/** Far smaller than the graph of any real roster, which has more than 200 clients. */
const graph: GraphParams = { clients: 6, corrupt: 1, complete: false, holders: 4, threshold: 3, minimumSurvivors: 4 }

const ROSTERS = [
  { clients: 201 },
  { clients: 300, dropoutFraction: 0.2 },
  { clients: 1000 },
  { clients: 1000, corruptFraction: 0.02 },
  { clients: 10_000 },
]

/** The round's clients again, as if their roster were too large for a complete graph. */
export function sparseVectors() {
  const entropy = seededEntropy(`${SEED}/sparse`)
  const members = clients.map(({ id, maskKey }, own): Member => ({ id, maskKey, holders: pickHolders(graph, own, entropy) }))
  const places = placesOf(clients.map(({ id }) => id))
  const u1Digest = membersDigest(context, members)
  const salt = activeDigest(context, u1Digest, activePlaces)
  const present = activePlaces.map((place) => known(members[place]))
  const [owner, mine] = [known(clients[0]), known(members[0])]
  const coefficients = entropy.bytes(32 * (graph.threshold - 1))
  const shares = splitSecret(owner.selfSeed, graph.holders, graph.threshold, { bytes: () => coefficients.slice() })
  return {
    parameters: ROSTERS.map((options) => {
      const { corrupt, dropped, k, t, corruptHolders } = sparseGraph(options.clients, options)
      return { clients: options.clients, corrupt, dropped, k, t, corruptHolders }
    }),
    ...hexed({
      context,
      graph,
      members,
      u1: { encoded: encode(list(member, MAX_COHORT), members), digest: u1Digest },
      active: { places: activePlaces, digest: salt },
      neighbours: present.map((one) => ({
        id: one.id,
        neighbours: neighboursOf(graph, one, present, places).map(({ id }) => id),
      })),
      shares: {
        client: owner.id,
        secret: owner.selfSeed,
        coefficients,
        holders: holdersOf(graph, mine).map((place, i) => ({ id: known(clients[place]).id, x: i + 1, share: known(shares[i]) })),
      },
      masks: {
        client: owner.id,
        self: selfMask(owner.selfSeed, context, salt, owner.id),
        pairs: neighboursOf(graph, mine, present, places).map((peer) => ({
          peer: peer.id,
          ...known(pairMask(curves, owner.maskSecret, mine, peer, context, salt)),
        })),
      },
    }),
  }
}
