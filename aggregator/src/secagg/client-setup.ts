import { compareBytes, equalBytes } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { mac, verifyMac } from '../crypto/kdf.ts'
import type { ServerMessage } from '../wire/messages.ts'
import type { DealtShare, Member, PeerMac } from '../wire/records.ts'
import type { ClientEnv, ClientRound, Membership, RoundSecrets } from './client-state.ts'
import { entryId, isSortedSet, membersDigest, pairKey } from './context.ts'
import { type Fault, fault, violation } from './fault.ts'
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
  const ids = members.map(({ id }) => id)
  const roster = new Set(facts.roster.map(entryId))
  if (!isSortedSet(ids) || !ids.every((id) => roster.has(id))) return violation('U1 is not a sorted part of the roster')
  if (ids.length < graph.minimumSurvivors) {
    return violation(`U1 holds ${ids.length} clients, where at least ${graph.minimumSurvivors} are needed`)
  }
  const own = members.find(({ id }) => id === env.id)
  if (own === undefined || !equalBytes(own.maskKey, mine.maskKey)) return violation("U1 lacks this client's own mask key")
  const maskKeys = members.map(({ maskKey }) => maskKey).sort(compareBytes)
  if (maskKeys.some((key, i) => i > 0 && equalBytes(key, maskKeys[i - 1] as Uint8Array)))
    return violation('two clients of U1 have one mask key')

  const boxes = new Map(relay.shares.map((share) => [share.peer, share]))
  if (boxes.size !== relay.shares.length || boxes.size !== members.length - 1)
    return violation('the relay does not hold one box for each other client of U1')
  const held = new Map<ClientId, HeldShares>([[env.id, secrets.own]])
  for (const dealer of members) {
    if (dealer.id === env.id) continue
    const dealt = boxes.get(dealer.id)
    if (dealt === undefined) return violation(`the box of client ${dealer.id} was withheld`)
    const shares = openDealt(env, facts, dealer, dealt)
    if (shares !== undefined) held.set(dealer.id, shares) // else: that dealer's fault; it gets no ack, and its key counts only by its own ack
  }
  const u1Digest = membersDigest(context, members)
  const macs = members
    .filter(({ id }) => id !== env.id && held.has(id))
    .map((owner) => ({
      peer: owner.id,
      mac: mac(ackKey(env, facts, env.id, owner.id), context, u1Digest, mine.maskKey, owner.maskKey),
    }))
  return { membership: { members, u1Digest, held }, macs }
}

/**
 * Counts the acks and derives this client's masks. A neighbour's mask key is used only when that neighbour's box or ack
 * authenticated it. A neighbour that boxed its key and then went silent does not stop the round: it is a dropout like
 * any other, and its masks can be rebuilt.
 */
export function acceptAcks(
  env: ClientEnv,
  facts: ClientRound,
  secrets: RoundSecrets,
  mine: Member,
  membership: Membership,
  acks: Message<'acks'>,
): readonly SignedMask[] | Fault {
  const { context, graph } = facts
  const { members, u1Digest, held } = membership
  const macs = new Map(acks.macs.map(({ peer, mac }) => [peer, mac]))
  const acked = new Set<ClientId>([env.id])
  for (const peer of members) {
    const received = macs.get(peer.id)
    if (peer.id === env.id || received === undefined) continue
    if (!verifyMac(received, ackKey(env, facts, peer.id, env.id), context, u1Digest, peer.maskKey, mine.maskKey)) {
      return violation(`the ack of client ${peer.id} is not its own, or it was shown another U1`)
    }
    acked.add(peer.id)
  }
  if (acked.size < graph.threshold) {
    return fault(
      'FL_TOO_FEW_SHARES',
      `${acked.size} share-holders acknowledged their shares, where ${graph.threshold} are needed`,
    )
  }
  const masks: SignedMask[] = [{ sign: 1, keys: selfMask(secrets.selfSeed, context, u1Digest, env.id) }]
  for (const peer of members) {
    if (peer.id === env.id) continue
    if (!held.has(peer.id) && !acked.has(peer.id)) return violation(`nothing authenticates the mask key of client ${peer.id}`)
    const mask = pairMask(env.curves, secrets.maskSecret, mine, peer, context, u1Digest)
    if (mask === undefined) return violation(`the mask key of client ${peer.id} has low order`)
    masks.push(mask)
  }
  return masks
}

function openDealt(env: ClientEnv, facts: ClientRound, dealer: Member, dealt: DealtShare): HeldShares | undefined {
  const shared = facts.shared.get(dealer.id) as Uint8Array
  const key = pairKey(shared, facts.context, 'box', dealer.id, env.id)
  const shares = openShares(key, dealt.box, facts.context, dealer, env.id)
  if (shares === undefined) return undefined
  return commitmentsHold(dealt.commitments, facts.context, dealer.id, env.id, shares) ? shares : undefined
}

function ackKey(env: ClientEnv, facts: ClientRound, from: ClientId, to: ClientId): Uint8Array {
  const peer = from === env.id ? to : from
  return pairKey(facts.shared.get(peer) as Uint8Array, facts.context, 'ack', from, to)
}
