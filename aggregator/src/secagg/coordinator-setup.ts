import { equalBytes } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { taskId } from '../core/ids.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { type DealtShare, type Member, type PeerMac, SHARE_BOX_BYTES } from '../wire/records.ts'
import { activeDigest, contextOf, membersDigest } from './context.ts'
import { abortCoordinator } from './coordinator-abort.ts'
import type {
  CoordinatorEffect,
  CoordinatorEnv,
  CoordinatorRound,
  CoordinatorState,
  CoordinatorStep,
} from './coordinator-state.ts'
import { attempt, type Fault, fault, isFault } from './fault.ts'
import { isHolderSet, placeOf, placesOf } from './graph.ts'
import { graphOf } from './params.ts'

type Phase<P extends CoordinatorState['phase']> = Extract<CoordinatorState, { phase: P }>
type Message<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>

/** Starts the round with everybody who is ready, once all invited have answered or the time is over. */
export function closeRecruiting(env: CoordinatorEnv, state: Phase<'recruiting'>, now: number): CoordinatorStep | undefined {
  const { base, entries, invited, deadline } = state
  if (entries.size < invited.size && now < deadline) return undefined
  const { minimum } = env.config.cohort
  if (entries.size < minimum) {
    return abortCoordinator(
      base.round,
      'FL_TOO_FEW_CLIENTS',
      `${entries.size} clients were ready for round ${base.round}, where ${minimum} are needed`,
    )
  }
  const graph = attempt(() => (env.graphOf ?? graphOf)(env.config, entries.size))
  if (isFault(graph)) return abortCoordinator(base.round, graph.fault, graph.message)
  const ids = [...entries.keys()].sort()
  const roster = ids.map((id) => entries.get(id)).filter((entry) => entry !== undefined)
  const { configHash, coordinatorKey } = env
  const context = contextOf({ ...base, task: taskId(env.config.taskId), roster, configHash, coordinatorKey })
  const facts: CoordinatorRound = { ...base, context, graph, roster, ids, places: placesOf(ids) }
  const { round, modelHash, head } = base
  return {
    state: { phase: 'setup', facts, setups: new Map(), gone: new Set(), deadline: now + env.config.deadlines.setupMs },
    effects: ids.map((to) => ({ type: 'send', to, message: { type: 'start', round, roster, modelHash, configHash, head } })),
  }
}

/**
 * One box for each share-holder in the roster's order, the sender among them without one, and commitments to all. A mask
 * key of low order, or one that another client has, would make every honest client leave the round: whoever sends it is
 * left out instead.
 */
export function acceptSetup(
  env: CoordinatorEnv,
  state: Phase<'setup'>,
  from: ClientId,
  message: Message<'setup'>,
): CoordinatorStep | Fault {
  const { graph, places } = state.facts
  const own = places.get(from)
  if (own === undefined) return fault('FL_NOT_IN_ROSTER', `this client is not in round ${state.facts.round}`)
  if (state.setups.has(from)) return fault('FL_DUPLICATE', 'a "setup" of this client has already counted in this round')
  const holders = message.shares.map(({ peer }) => places.get(peer) ?? graph.clients)
  const wellFormed =
    (graph.complete
      ? holders.length === graph.clients && holders.every((place, i) => place === i)
      : isHolderSet(graph, own, holders)) &&
    message.shares.every(({ peer, box }) => box.length === (peer === from ? 0 : SHARE_BOX_BYTES))
  if (!wellFormed)
    return fault(
      'FL_MESSAGE_MALFORMED',
      'malformed message: "setup" must hold one box for each share-holder, in the order of the roster',
    )
  if (env.curves.x25519(env.coordinatorSecret, message.maskKey) === undefined)
    return fault('FL_MESSAGE_MALFORMED', 'malformed message: the mask key has low order')
  if ([...state.setups.values()].some(({ maskKey }) => equalBytes(maskKey, message.maskKey)))
    return fault('FL_MESSAGE_MALFORMED', 'malformed message: another client of this round has the same mask key')
  return { state: { ...state, setups: new Map(state.setups).set(from, message) }, effects: [] }
}

/** Fixes U1 and relays the boxes. */
export function closeSetup(env: CoordinatorEnv, state: Phase<'setup'>, now: number): CoordinatorStep | undefined {
  const { facts, setups, gone, deadline } = state
  const waiting = facts.ids.some((id) => !setups.has(id) && !gone.has(id))
  if (waiting && now < deadline) return undefined
  const { minimumSurvivors } = facts.graph
  if (setups.size < minimumSurvivors) {
    return abortCoordinator(
      facts.round,
      'FL_TOO_FEW_SURVIVORS',
      `${setups.size} of ${facts.ids.length} clients shared their keys, where ${minimumSurvivors} are needed`,
    )
  }
  const { context } = facts
  const members = membersOf(facts, setups)
  const boxes = new Map<ClientId, DealtShare[]>()
  for (const { id } of members)
    for (const share of setups.get(id)?.shares ?? []) if (share.peer !== id) push(boxes, share.peer, { ...share, peer: id })
  const effects = members.map(
    ({ id: to }): CoordinatorEffect => ({
      type: 'send',
      to,
      message: { type: 'relay', context, members, shares: boxes.get(to) ?? [] },
    }),
  )
  const { setupMs, collectingMs } = env.config.deadlines
  return {
    state: {
      ...state,
      phase: 'collecting',
      members,
      u1Digest: membersDigest(context, members),
      acks: new Map(),
      activated: undefined,
      ackDeadline: now + setupMs,
      uploaded: new Map(),
      deadline: now + setupMs + collectingMs,
    },
    effects,
  }
}

/** U1: those who shared their keys, in the roster's order. */
export function membersOf(
  { ids, graph, places }: Pick<CoordinatorRound, 'ids' | 'graph' | 'places'>,
  setups: Phase<'setup'>['setups'],
): readonly Member[] {
  return ids.flatMap((id) => {
    const setup = setups.get(id)
    if (setup === undefined) return []
    const holders = graph.complete ? [] : setup.shares.map(({ peer }) => placeOf(places, peer))
    return { id, maskKey: setup.maskKey, holders }
  })
}

export function acceptAck(state: Phase<'collecting'>, from: ClientId, message: Message<'ack'>): CoordinatorStep | Fault {
  if (!state.members.some(({ id }) => id === from))
    return fault('FL_NOT_IN_ROSTER', `this client is not in round ${state.facts.round}`)
  if (state.acks.has(from)) return fault('FL_DUPLICATE', 'an "ack" of this client has already counted in this round')
  if (state.activated !== undefined) return fault('FL_WRONG_PHASE', 'the acks of this round were relayed before this one came')
  return { state: { ...state, acks: new Map(state.acks).set(from, message) }, effects: [] }
}

/** Fixes the active part of U1, those that acknowledged, and relays the acks, each to the owner whom it is for. */
export function closeAcks(state: Phase<'collecting'>, now: number): CoordinatorStep | undefined {
  const { facts, members, acks, gone, ackDeadline, u1Digest } = state
  const waiting = members.some(({ id }) => !acks.has(id) && !gone.has(id))
  if (waiting && now < ackDeadline) return undefined
  const { context, graph, places, round } = facts
  if (acks.size < graph.minimumSurvivors) {
    return abortCoordinator(
      round,
      'FL_TOO_FEW_SURVIVORS',
      `${acks.size} of ${facts.ids.length} clients acknowledged their shares, where ${graph.minimumSurvivors} are needed`,
    )
  }
  const active = [...acks.keys()].map((id) => placeOf(places, id)).sort((a, b) => a - b)
  const macs = routeMacs(acks)
  return {
    state: { ...state, activated: { active, activeDigest: activeDigest(context, u1Digest, active) } },
    effects: [...acks.keys()].map((to) => ({
      type: 'send',
      to,
      message: { type: 'acks', context, active, macs: macs.get(to) ?? [] },
    })),
  }
}

/** The MACs of all senders by receiver, each under its sender's id, one for each pair. */
export function routeMacs(
  sent: ReadonlyMap<ClientId, { readonly macs: readonly PeerMac[] }>,
): ReadonlyMap<ClientId, readonly PeerMac[]> {
  const routed = new Map<ClientId, PeerMac[]>()
  for (const [from, { macs }] of sent) {
    const once = new Map(macs.map(({ peer, mac }) => [peer, mac]))
    for (const [to, mac] of once) push(routed, to, { peer: from, mac })
  }
  return routed
}

function push<T>(lists: Map<ClientId, T[]>, key: ClientId, value: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
