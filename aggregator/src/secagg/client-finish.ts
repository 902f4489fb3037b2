import { equalBytes } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { mac, verifyMac } from '../crypto/kdf.ts'
import { seal } from '../crypto/seal.ts'
import { encode } from '../wire/codec.ts'
import { type ClientMessage, type ServerMessage, unmaskShares } from '../wire/messages.ts'
import type { Member } from '../wire/records.ts'
import type { Active, ClientEnv, ClientRound } from './client-state.ts'
import { isSortedSet, pairKey, sealKey, survivorsDigest } from './context.ts'
import { attempt, type Fault, fault, isFault, violation } from './fault.ts'
import { isHolder, placeOf } from './graph.ts'
import { type JournalEntry, openEntry } from './journal.ts'

type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

/** Checks U2 and confirms it to every survivor whose shares this client holds; the signature is for the journal's readers. */
export function acceptSurvivors(
  env: ClientEnv,
  facts: ClientRound,
  membership: Active,
  message: Message<'survivors'>,
): Extract<ClientMessage, { type: 'confirm' }> | Fault {
  const { context, graph } = facts
  const { survivors } = message
  const active = new Set(membership.active)
  if (!isSortedSet(survivors) || !survivors.every((id) => active.has(id)))
    return violation('U2 is not a sorted part of the active clients')
  if (survivors.length < graph.minimumSurvivors) {
    return violation(`U2 holds ${survivors.length} clients, where at least ${graph.minimumSurvivors} are needed`)
  }
  if (!survivors.includes(env.id)) return fault('FL_ROUND_STALE', 'the round closed before the update of this client arrived')
  const digest = survivorsDigest(context, membership.activeDigest, survivors)
  const surviving = new Set(survivors)
  const owners = membership.members.filter(
    (owner) => surviving.has(owner.id) && owner.id !== env.id && isHolder(graph, owner, facts.own),
  )
  const macs = owners.flatMap(({ id: peer }) => {
    const key = confirmKey(facts, env.id, peer, peer)
    return key === undefined ? [] : [{ peer, mac: mac(key, digest) }]
  })
  return { type: 'confirm', context, macs, signature: env.curves.sign(env.identitySeed, digest) }
}

/**
 * The one answer that gives shares away, once `threshold` of its own share-holders (this client among them) confirmed the
 * same U2. Two sets that both reach the threshold share an honest client (see `completeGraph`), and an honest client
 * confirms one U2 only: so no two lists can be unmasked. Of survivors it gives the self-seed share, of active clients
 * that dropped out the mask-key share, never both.
 */
export function acceptConfirms(
  env: ClientEnv,
  facts: ClientRound,
  mine: Member,
  membership: Active,
  survivors: readonly ClientId[],
  message: Message<'confirms'>,
): Extract<ClientMessage, { type: 'unmask' }> | Fault {
  const { context, graph } = facts
  const digest = survivorsDigest(context, membership.activeDigest, survivors)
  const received = new Map(message.macs.map(({ peer, mac }) => [peer, mac]))
  const confirmed = survivors.filter((peer) => {
    if (peer === env.id) return true
    const tag = received.get(peer)
    if (tag === undefined || !isHolder(graph, mine, placeOf(facts.places, peer))) return false
    const key = confirmKey(facts, peer, env.id, peer)
    return key !== undefined && verifyMac(tag, key, digest)
  })
  if (confirmed.length < graph.threshold) {
    return fault(
      'FL_TOO_FEW_SHARES',
      `${confirmed.length} share-holders confirmed the survivors, where ${graph.threshold} are needed`,
    )
  }
  const surviving = new Set(survivors)
  const active = new Set(membership.active)
  const held = [...membership.held].filter(([owner]) => active.has(owner))
  const answer = encode(unmaskShares, {
    selfSeed: held.filter(([owner]) => surviving.has(owner)).map(([owner, shares]) => ({ owner, share: shares.selfSeedShare })),
    maskKey: held.filter(([owner]) => !surviving.has(owner)).map(([owner, shares]) => ({ owner, share: shares.maskKeyShare })),
  })
  return { type: 'unmask', context, sealed: seal(sealKey(facts.sealShared, context, 'unmask', env.id), answer) }
}

/** The committed entry must be the one that this client took part in. */
export function acceptResult(
  env: ClientEnv,
  facts: ClientRound,
  survivors: readonly ClientId[],
  message: Message<'result'>,
): JournalEntry | Fault {
  const entry = attempt(() => openEntry(env.curves, env.operatorKey, message.entry))
  if (isFault(entry)) return entry
  const ours =
    entry.task === env.config.taskId &&
    entry.round === facts.round &&
    entry.index === facts.head.index + 1 &&
    equalBytes(entry.previous, facts.head.hash) &&
    equalBytes(entry.modelBefore, facts.modelHash) &&
    entry.cohorts.some((cohort) => cohort.survivors.join() === survivors.join())
  return ours ? entry : violation('the committed entry is not of the round that this client took part in')
}

/** `peer`: the one of the two that is not this client. */
function confirmKey(facts: ClientRound, from: ClientId, to: ClientId, peer: ClientId): Uint8Array | undefined {
  const shared = facts.shared.with(peer)
  return shared && pairKey(shared, facts.context, 'confirm', from, to)
}
