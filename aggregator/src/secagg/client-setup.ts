import { compareBytes, equalBytes } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { mac, verifyMac } from '../crypto/kdf.ts'
import type { ServerMessage } from '../wire/messages.ts'
import type { DealtShare, Member, PeerMac } from '../wire/records.ts'
import type { Active, ClientEnv, ClientRound, Membership, RoundSecrets } from './client-state.ts'
import { activeDigest, isSortedSet, membersDigest, pairKey } from './context.ts'
import { type Fault, fault, isFault, violation } from './fault.ts'
import { isHolder, isHolderSet, neighboursOf, placeOf } from './graph.ts'
import { pairMask, type SignedMask, selfMask } from './masks.ts'
import { commitmentsHold, type HeldShares, openShares } from './shares.ts'

type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

/** Checks U1 and opens the shares that its members dealt to this client. */
export function acceptRelay(
  env: ClientEnv,
  facts: ClientRound,
  secrets: RoundSecrets,
  mine: Member,
  relay: Message<'relay'>,
): { readonly membership: Membership; readonly macs: readonly PeerMac[] } | Fault {
  const { context, graph } = facts
  const { members } = relay
  const unfit = checkMembers(facts, mine, members)
  if (unfit !== undefined) return unfit

  const dealers = members.filter((dealer) => dealer.id !== env.id && isHolder(graph, dealer, facts.own))
  const boxes = new Map(relay.shares.map((share) => [share.peer, share]))
  if (boxes.size !== relay.shares.length || boxes.size !== dealers.length) {
    return violation('the relay does not hold one box of each client of U1 that named this client as share-holder')
  }
  const held = new Map<ClientId, HeldShares>([[env.id, secrets.own]])
  for (const dealer of dealers) {
    const dealt = boxes.get(dealer.id)
    if (dealt === undefined) return violation(`the box of client ${dealer.id} was withheld`)
    const shares = openDealt(env, facts, dealer, dealt)
    if (shares !== undefined) held.set(dealer.id, shares) // else: that dealer's fault; it gets no ack, and its key counts only by its own ack
  }
  const u1Digest = membersDigest(context, members)
  const macs = dealers
    .filter(({ id }) => held.has(id))
    .map((owner) => ({
      peer: owner.id,
      mac: mac(ackKey(env, facts, env.id, owner.id), context, u1Digest, mine.maskKey, owner.maskKey),
    }))
  return { membership: { members, u1Digest, held }, macs }
}

/** U1 must be a sorted part of the roster, large enough, each with a mask key of its own and a holder set that it may have picked. */
function checkMembers({ graph, places, own }: ClientRound, mine: Member, members: readonly Member[]): Fault | undefined {
  const ids = members.map(({ id }) => id)
  if (!isSortedSet(ids) || !ids.every((id) => places.has(id))) return violation('U1 is not a sorted part of the roster')
  if (ids.length < graph.minimumSurvivors) {
    return violation(`U1 holds ${ids.length} clients, where at least ${graph.minimumSurvivors} are needed`)
  }
  const me = members[ids.indexOf(mine.id)]
  if (me === undefined || !equalBytes(me.maskKey, mine.maskKey)) return violation("U1 lacks this client's own mask key")
  if (me.holders.join() !== mine.holders.join()) return violation('U1 holds other share-holders than this client picked')
  const foreign = members.find(
    (member) => !isHolderSet(graph, member.id === mine.id ? own : placeOf(places, member.id), member.holders),
  )
  if (foreign !== undefined) return violation(`client ${foreign.id} has a holder set that it cannot have picked`)
  const maskKeys = members.map(({ maskKey }) => maskKey).sort(compareBytes)
  const twice = maskKeys.some((key, i) => i > 0 && equalBytes(key, maskKeys[i - 1] as Uint8Array))
  return twice ? violation('two clients of U1 have one mask key') : undefined
}

/**
 * Fixes the active part of U1, counts the acks and derives this client's masks. A neighbour's mask key is used only when
 * that neighbour's box or ack authenticated it. A client that shared its keys and then went silent is not active: nobody
 * masks with it, so losing it costs nothing.
 */
export function acceptAcks(
  env: ClientEnv,
  facts: ClientRound,
  secrets: RoundSecrets,
  mine: Member,
  membership: Membership,
  acks: Message<'acks'>,
): { readonly membership: Active; readonly masks: readonly SignedMask[] } | Fault {
  const { context, graph, ids, places } = facts
  const { members, u1Digest, held } = membership
  const active = new Set(acks.active.map((place) => ids[place]))
  const ascending = acks.active.every((place, i) => i === 0 || (acks.active[i - 1] as number) < place)
  const present = members.filter(({ id }) => active.has(id))
  if (!ascending || present.length !== acks.active.length || !active.has(env.id)) {
    return violation('the active clients are not a sorted part of U1 with this client in it')
  }
  if (present.length < graph.minimumSurvivors) {
    return violation(`${present.length} clients are active, where at least ${graph.minimumSurvivors} are needed`)
  }
  const acked = checkAcks(env, facts, mine, membership, acks)
  if (isFault(acked)) return acked
  const digest = activeDigest(context, u1Digest, acks.active)
  const masks: SignedMask[] = [{ sign: 1, keys: selfMask(secrets.selfSeed, context, digest, env.id) }]
  for (const peer of neighboursOf(graph, mine, present, places)) {
    if (!held.has(peer.id) && !acked.has(peer.id)) return violation(`nothing authenticates the mask key of client ${peer.id}`)
    const mask = pairMask(env.curves, secrets.maskSecret, mine, peer, context, digest)
    if (mask === undefined) return violation(`the mask key of client ${peer.id} has low order`)
    masks.push(mask)
  }
  return { membership: { ...membership, active: present.map(({ id }) => id), activeDigest: digest }, masks }
}

/** This client's share-holders that acknowledged, itself included; there must be `threshold` of them, and no false ack. */
function checkAcks(
  env: ClientEnv,
  facts: ClientRound,
  mine: Member,
  { members, u1Digest }: Membership,
  acks: Message<'acks'>,
): ReadonlySet<ClientId> | Fault {
  const { context, graph, places } = facts
  const macs = new Map(acks.macs.map(({ peer, mac }) => [peer, mac]))
  const acked = new Set<ClientId>([env.id])
  for (const peer of members) {
    const received = macs.get(peer.id)
    if (received === undefined || peer.id === env.id || !isHolder(graph, mine, placeOf(places, peer.id))) continue
    if (!verifyMac(received, ackKey(env, facts, peer.id, env.id), context, u1Digest, peer.maskKey, mine.maskKey)) {
      return violation(`the ack of client ${peer.id} is not its own, or it was shown another U1`)
    }
    acked.add(peer.id)
  }
  if (acked.size >= graph.threshold) return acked
  return fault('FL_TOO_FEW_SHARES', `${acked.size} share-holders acknowledged their shares, where ${graph.threshold} are needed`)
}

function openDealt(env: ClientEnv, facts: ClientRound, dealer: Member, dealt: DealtShare): HeldShares | undefined {
  const shared = facts.shared.with(dealer.id)
  if (shared === undefined) return undefined
  const key = pairKey(shared, facts.context, 'box', dealer.id, env.id)
  const shares = openShares(key, dealt.box, facts.context, dealer, env.id)
  if (shares === undefined) return undefined
  return commitmentsHold(dealt.commitments, facts.context, dealer.id, env.id, shares) ? shares : undefined
}

function ackKey(env: ClientEnv, facts: ClientRound, from: ClientId, to: ClientId): Uint8Array {
  const shared = facts.shared.with(from === env.id ? to : from)
  if (shared === undefined) throw new Error('a share of this pair was boxed under its key before')
  return pairKey(shared, facts.context, 'ack', from, to)
}
