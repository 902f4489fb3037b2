import { equalBytes, toHex } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { taskId } from '../core/ids.ts'
import { sharedKey } from '../crypto/box.ts'
import { KEY_BYTES } from '../crypto/curves.ts'
import { splitSecret } from '../crypto/shamir.ts'
import type { DealtShare, Member, RosterEntry } from '../wire/records.ts'
import type { ClientEffect, ClientEnv, ClientInput, ClientRound, ClientState, Invitation, LedgerHead } from './client-state.ts'
import { contextOf, entryId, isSortedSet, pairKey } from './context.ts'
import { attempt, type Fault, isFault, violation } from './fault.ts'
import { holdersOf, pickHolders, placeOf, placesOf } from './graph.ts'
import { verifyRosterEntry } from './identity.ts'
import { openEntry } from './journal.ts'
import { graphOf } from './params.ts'
import { SharedKeys } from './shared-keys.ts'
import { boxShares, commitTo, type HeldShares, seedCommitment } from './shares.ts'

type Start = Extract<ClientInput, { type: 'start' }>

interface Started {
  readonly facts: ClientRound
  readonly state: Omit<Extract<ClientState, { phase: 'setup' }>, 'seen' | 'deadline'>
  readonly effects: readonly ClientEffect[]
}

/** Checks everything that a start claims, then makes this round's keys and deals their shares. */
export function startRound(env: ClientEnv, invitation: Invitation, start: Start, now: number): Started | Fault {
  if (!equalBytes(start.modelHash, invitation.modelHash))
    return violation('the round trains another model than the one that the invitation named')
  const head = checkHead(env, start)
  if (isFault(head)) return head
  const roster = checkRoster(env, invitation.nonce, start.roster, now)
  if (isFault(roster)) return roster
  const graph = attempt(() => (env.graphOf ?? graphOf)(env.config, roster.length))
  if (isFault(graph)) return graph
  const sealShared = sharedKey(env.curves, env.channelSecret, env.coordinatorKey)
  if (sealShared === undefined) return violation('the coordinator key has low order')
  const ids = roster.map(entryId)
  const places = placesOf(ids)
  const { round, modelHash, configHash } = start
  const task = taskId(env.config.taskId)
  const context = contextOf({
    task,
    round,
    roster,
    modelHash,
    configHash,
    headHash: head.hash,
    coordinatorKey: env.coordinatorKey,
  })
  const facts: ClientRound = {
    round,
    context,
    modelHash,
    graph,
    roster,
    ids,
    places,
    own: placeOf(places, env.id),
    head,
    shared: new SharedKeys(env.curves, env.channelSecret, roster, places),
    sealShared,
  }
  const dealt = deal(env, facts)
  return isFault(dealt) ? dealt : { facts, ...dealt }
}

/** The start must build on the journal entry that this client saw last, or on a later one of the same operator. */
function checkHead(env: ClientEnv, start: Start): LedgerHead | Fault {
  const { ledger } = start
  if (!equalBytes(start.configHash, env.configHash))
    return violation('the round names another task config than the one signed for this session')
  if (start.round <= ledger.highestRound) {
    return violation(`round ${start.round} is not above round ${ledger.highestRound}, which this client has already seen`)
  }
  const entry = attempt(() => openEntry(env.curves, env.operatorKey, start.head))
  if (isFault(entry)) return entry
  if (entry.task !== env.config.taskId) return violation(`the journal entry belongs to task ${entry.task}`)
  if (!equalBytes(entry.configHash, env.configHash)) return violation('the journal entry was made under another task config')
  if (!equalBytes(entry.modelAfter, start.modelHash))
    return violation('the round trains another model than the one that the journal committed last')
  const seen = ledger.head
  if (seen !== undefined) {
    if (entry.index < seen.index) return violation(`the journal went back from entry ${seen.index} to ${entry.index}`)
    const forked =
      (entry.index === seen.index && !equalBytes(entry.hash, seen.hash)) ||
      (entry.index === seen.index + 1 && !equalBytes(entry.previous, seen.hash))
    if (forked) return violation(`the journal was forked at entry ${entry.index}: this client saw another history`)
  }
  return { index: entry.index, hash: entry.hash, modelHash: start.modelHash }
}

function checkRoster(
  env: ClientEnv,
  nonce: Uint8Array,
  roster: readonly RosterEntry[],
  now: number,
): readonly RosterEntry[] | Fault {
  const ids = roster.map(entryId)
  if (!isSortedSet(ids)) return violation('the roster is not a sorted set')
  const mine = roster[ids.indexOf(env.id)]
  if (
    mine === undefined ||
    !equalBytes(mine.nonce, nonce) ||
    !equalBytes(mine.channelKey, env.curves.x25519Public(env.channelSecret))
  ) {
    return violation("the roster lacks this client's own entry for this round")
  }
  const task = taskId(env.config.taskId)
  const check = {
    curves: env.curves,
    task,
    coordinatorKey: env.coordinatorKey,
    enrolmentKey: env.enrolmentKey,
    now,
    verified: env.verified,
  }
  for (const [i, entry] of roster.entries()) {
    if (!verifyRosterEntry(check, entry))
      return violation(`client ${ids[i]} in the roster is not certified by the enrolment key ${toHex(env.enrolmentKey)}`)
  }
  return roster
}

function deal(env: ClientEnv, facts: ClientRound): { state: Started['state']; effects: Started['effects'] } | Fault {
  const { context, ids, graph } = facts
  const maskSecret = env.entropy.bytes(KEY_BYTES)
  const selfSeed = env.entropy.bytes(KEY_BYTES)
  const mine: Member = {
    id: env.id,
    maskKey: env.curves.x25519Public(maskSecret),
    holders: pickHolders(graph, facts.own, env.entropy),
  }
  const maskKeyShares = splitSecret(maskSecret, graph.holders, graph.threshold, env.entropy)
  const selfSeedShares = splitSecret(selfSeed, graph.holders, graph.threshold, env.entropy)
  let own: HeldShares | undefined
  const shares: DealtShare[] = []
  for (const [i, place] of holdersOf(graph, mine).entries()) {
    const peer = ids[place] as ClientId
    const dealt = { maskKeyShare: maskKeyShares[i] as Uint8Array, selfSeedShare: selfSeedShares[i] as Uint8Array }
    const commitments = commitTo(context, env.id, peer, dealt)
    if (peer === env.id) {
      own = dealt
      shares.push({ peer, box: new Uint8Array(0), commitments })
      continue
    }
    const shared = facts.shared.with(peer)
    if (shared === undefined) return violation(`the channel key of client ${peer} has low order`)
    const key = pairKey(shared, context, 'box', env.id, peer)
    shares.push({ peer, box: boxShares(key, context, mine, peer, dealt, env.entropy), commitments })
  }
  if (own === undefined) throw new Error('every holder set holds its owner')
  const selfSeedCommitment = seedCommitment(context, env.id, selfSeed)
  return {
    state: { phase: 'setup', facts, secrets: { maskSecret, selfSeed, own }, mine, trained: false, membership: undefined },
    effects: [
      { type: 'remember', round: facts.round, head: facts.head },
      { type: 'send', message: { type: 'setup', context, maskKey: mine.maskKey, selfSeedCommitment, shares } },
      { type: 'train', round: facts.round, modelHash: facts.modelHash },
    ],
  }
}
