import type { ClientId } from '../core/ids.ts'
import { taskId } from '../core/ids.ts'
import type { ClientMessage } from '../wire/messages.ts'
import { SHARE_BOX_BYTES } from '../wire/records.ts'
import { contextOf, membersDigest } from './context.ts'
import { abortCoordinator } from './coordinator-abort.ts'
import type {
  CoordinatorEffect,
  CoordinatorEnv,
  CoordinatorRound,
  CoordinatorState,
  CoordinatorStep,
} from './coordinator-state.ts'
import { attempt, type Fault, fault, isFault } from './fault.ts'
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
  const graph = attempt(() => graphOf(env.config, entries.size))
  if (isFault(graph)) return abortCoordinator(base.round, graph.fault, graph.message)
  const ids = [...entries.keys()].sort()
  const roster = ids.map((id) => entries.get(id)).filter((entry) => entry !== undefined)
  const { configHash, coordinatorKey } = env
  const context = contextOf({ ...base, task: taskId(env.config.taskId), roster, configHash, coordinatorKey })
  const facts: CoordinatorRound = { ...base, context, graph, roster, ids }
  const { round, modelHash, head } = base
  return {
    state: { phase: 'setup', facts, setups: new Map(), gone: new Set(), deadline: now + env.config.deadlines.setupMs },
    effects: ids.map((to) => ({ type: 'send', to, message: { type: 'start', round, roster, modelHash, configHash, head } })),
  }
}

/** One box for each other client of the roster, in its order, and commitments to all of them. */
export function acceptSetup(state: Phase<'setup'>, from: ClientId, message: Message<'setup'>): CoordinatorStep | Fault {
  const { ids } = state.facts
  if (!ids.includes(from)) return fault('FL_NOT_IN_ROSTER', `this client is not in round ${state.facts.round}`)
  if (state.setups.has(from)) return fault('FL_DUPLICATE', 'a "setup" of this client has already counted in this round')
  const wellFormed =
    message.shares.length === ids.length &&
    message.shares.every(({ peer, box }, i) => peer === ids[i] && box.length === (peer === from ? 0 : SHARE_BOX_BYTES))
  if (!wellFormed)
    return fault(
      'FL_MESSAGE_MALFORMED',
      'malformed message: "setup" must hold one box for each other client of the roster, in its order',
    )
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
  const members = facts.ids.flatMap((id) => {
    const setup = setups.get(id)
    return setup === undefined ? [] : [{ id, maskKey: setup.maskKey }]
  })
  const effects = members.map(({ id: to }): CoordinatorEffect => {
    const place = facts.ids.indexOf(to)
    const shares = members
      .filter(({ id }) => id !== to)
      .flatMap(({ id }) => {
        const dealt = setups.get(id)?.shares[place]
        return dealt === undefined ? [] : [{ ...dealt, peer: id }]
      })
    return { type: 'send', to, message: { type: 'relay', context, members, shares } }
  })
  const { setupMs, collectingMs } = env.config.deadlines
  return {
    state: {
      ...state,
      phase: 'collecting',
      members,
      u1Digest: membersDigest(context, members),
      acks: new Map(),
      acksRelayed: false,
      ackDeadline: now + setupMs,
      uploaded: new Map(),
      deadline: now + setupMs + collectingMs,
    },
    effects,
  }
}

export function acceptAck(state: Phase<'collecting'>, from: ClientId, message: Message<'ack'>): CoordinatorStep | Fault {
  const ids = new Set(state.members.map(({ id }) => id))
  if (!ids.has(from)) return fault('FL_NOT_IN_ROSTER', `this client is not in round ${state.facts.round}`)
  if (state.acks.has(from)) return fault('FL_DUPLICATE', 'an "ack" of this client has already counted in this round')
  if (state.acksRelayed) return fault('FL_WRONG_PHASE', 'the acks of this round were relayed before this one came')
  return { state: { ...state, acks: new Map(state.acks).set(from, message) }, effects: [] }
}

/** Relays the acks, each to the owner whom it is for. */
export function closeAcks(state: Phase<'collecting'>, now: number): CoordinatorStep | undefined {
  const { facts, members, acks, gone, ackDeadline } = state
  const waiting = members.some(({ id }) => !acks.has(id) && !gone.has(id))
  if (waiting && now < ackDeadline) return undefined
  return {
    state: { ...state, acksRelayed: true },
    effects: members.map(({ id: to }) => ({
      type: 'send',
      to,
      message: { type: 'acks', context: facts.context, macs: macsFor(to, acks) },
    })),
  }
}

/** The MACs that others addressed to `to`, each under its sender's id. */
export function macsFor(
  to: ClientId,
  sent: ReadonlyMap<ClientId, { readonly macs: Message<'ack'>['macs'] }>,
): Message<'ack'>['macs'] {
  return [...sent].flatMap(([from, { macs }]) =>
    macs
      .filter(({ peer }) => peer === to)
      .slice(0, 1)
      .map(({ mac }) => ({ peer: from, mac })),
  )
}
