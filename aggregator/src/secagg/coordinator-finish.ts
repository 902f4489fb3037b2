import { equalBytes } from '../core/bytes.ts'
import type { ClientId } from '../core/ids.ts'
import { sharedKey } from '../crypto/box.ts'
import { openSeal, sealedBytes } from '../crypto/seal.ts'
import { decode } from '../wire/codec.ts'
import { type ClientMessage, type UnmaskShares, unmaskShares } from '../wire/messages.ts'
import { sealKey, survivorsDigest } from './context.ts'
import { abortCoordinator } from './coordinator-abort.ts'
import { routeMacs } from './coordinator-setup.ts'
import type { CoordinatorEffect, CoordinatorEnv, CoordinatorState, CoordinatorStep, Surviving } from './coordinator-state.ts'
import { attempt, type Fault, fault, isFault } from './fault.ts'
import { placeOf } from './graph.ts'
import { type ShareKind, shareCommitment } from './shares.ts'

type Phase<P extends CoordinatorState['phase']> = Extract<CoordinatorState, { phase: P }>
type Message<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>

/**
 * Fixes U2 once every update that can still come is here, the target of an over-selected cohort is met, or the time is over.
 * Nothing is made durable yet: after a crash from here to `persist-round` the round is gone, and no other bears its context.
 */
export function closeCollecting(
  env: CoordinatorEnv,
  state: Phase<'collecting'>,
  activated: NonNullable<Phase<'collecting'>['activated']>,
  now: number,
): CoordinatorStep | undefined {
  const { facts, uploaded, gone, deadline } = state
  const active = activated.active.map((place) => facts.ids[place] as ClientId)
  const { minimumSurvivors } = facts.graph
  const { target } = env.config.cohort
  const enough = facts.ids.length > target && uploaded.size >= Math.max(target, minimumSurvivors)
  const waiting = !enough && active.some((id) => !uploaded.has(id) && !gone.has(id))
  if (waiting && now < deadline) return undefined
  if (uploaded.size < minimumSurvivors) {
    return abortCoordinator(
      facts.round,
      'FL_TOO_FEW_SURVIVORS',
      `${uploaded.size} of ${facts.ids.length} updates arrived, where ${minimumSurvivors} are needed`,
    )
  }
  const survivors = [...uploaded.keys()].sort()
  const { context } = facts
  const deadlineOfPhase = now + env.config.deadlines.confirmingMs
  return {
    state: { ...state, ...activated, phase: 'confirming', survivors, confirms: new Map(), deadline: deadlineOfPhase },
    effects: active.map((to) => ({ type: 'send', to, message: { type: 'survivors', context, survivors } })),
  }
}

export function acceptConfirm(
  env: CoordinatorEnv,
  state: Phase<'confirming'>,
  from: ClientId,
  message: Message<'confirm'>,
): CoordinatorStep | Fault {
  const { facts, survivors, activeDigest } = state
  if (!survivors.includes(from))
    return fault('FL_NOT_IN_ROSTER', `this client is not among the survivors of round ${facts.round}`)
  if (state.confirms.has(from)) return fault('FL_DUPLICATE', 'a "confirm" of this client has already counted in this round')
  const identityKey = facts.roster[placeOf(facts.places, from)]?.certificate.identityKey as Uint8Array
  const digest = survivorsDigest(facts.context, activeDigest, survivors)
  if (!env.curves.verify(identityKey, digest, message.signature)) {
    return fault('FL_MESSAGE_MALFORMED', 'the transcript signature of this "confirm" is not of this round')
  }
  return { state: { ...state, confirms: new Map(state.confirms).set(from, message) }, effects: [] }
}

/** Relays the confirmations; from here the survivors that confirmed may unmask. */
export function closeConfirming(env: CoordinatorEnv, state: Phase<'confirming'>, now: number): CoordinatorStep | undefined {
  const { facts, survivors, confirms, gone, deadline } = state
  const waiting = survivors.some((id) => !confirms.has(id) && !gone.has(id))
  if (waiting && now < deadline) return undefined
  if (confirms.size < facts.graph.threshold) {
    return abortCoordinator(
      facts.round,
      'FL_TOO_FEW_SURVIVORS',
      `${confirms.size} survivors confirmed round ${facts.round}, where ${facts.graph.threshold} are needed`,
    )
  }
  const { state: unmasking, effects } = relayConfirms(env, { ...state, deadline: now })
  return { state: unmasking, effects: [{ type: 'persist-round' }, ...effects] }
}

/** `state.deadline`: when the time to answer begins. */
export function relayConfirms(env: CoordinatorEnv, state: Surviving): CoordinatorStep {
  const { context } = state.facts
  const macs = routeMacs(state.confirms)
  return {
    state: {
      ...state,
      phase: 'unmasking',
      answers: new Map(),
      shareCounts: new Map(),
      deadline: state.deadline + env.config.deadlines.unmaskingMs,
    },
    effects: [...state.confirms.keys()].map((to) => ({
      type: 'send',
      to,
      message: { type: 'confirms', context, macs: macs.get(to) ?? [] },
    })),
  }
}

/** Opens an answer and keeps those shares that match what their dealers committed to; a liar is named. */
export function acceptUnmask(
  env: CoordinatorEnv,
  state: Phase<'unmasking'>,
  from: ClientId,
  message: Message<'unmask'>,
): CoordinatorStep | Fault {
  const { facts, survivors } = state
  if (!state.confirms.has(from))
    return fault('FL_NOT_IN_ROSTER', `this client did not confirm the survivors of round ${facts.round}`)
  if (state.answers.has(from)) return fault('FL_DUPLICATE', 'an "unmask" of this client has already counted in this round')
  const opened = openAnswer(env, state, from, message.sealed)
  if (isFault(opened)) return opened
  const surviving = new Set(survivors)
  const active = new Set(state.active)
  const blamed: CoordinatorEffect[] = []
  const keep = (kind: ShareKind, shares: UnmaskShares['selfSeed']) => {
    const kept = new Map<ClientId, Uint8Array>()
    for (const { owner, share } of shares) {
      const wanted = active.has(facts.places.get(owner) ?? -1) && surviving.has(owner) === (kind === 'self-seed')
      if (!wanted) continue // never both secrets of one client
      const commitments = state.setups.get(owner)?.shares.find(({ peer }) => peer === from)?.commitments
      const expected = kind === 'self-seed' ? commitments?.selfSeedShare : commitments?.maskKeyShare
      if (expected !== undefined && equalBytes(expected, shareCommitment(facts.context, owner, from, kind, share)))
        kept.set(owner, share)
      else blamed.push({ type: 'blame', holder: from, owner })
    }
    return kept
  }
  const answer = { selfSeed: keep('self-seed', opened.selfSeed), maskKey: keep('mask-key', opened.maskKey) }
  const shareCounts = new Map(state.shareCounts)
  for (const owner of [...answer.selfSeed.keys(), ...answer.maskKey.keys()])
    shareCounts.set(owner, 1 + (shareCounts.get(owner) ?? 0))
  return { state: { ...state, answers: new Map(state.answers).set(from, answer), shareCounts }, effects: blamed }
}

/** Done as soon as every secret that the sum needs has `threshold` shares. */
export function closeUnmasking(state: Phase<'unmasking'>, now: number): CoordinatorStep | undefined {
  const { facts, active, answers, confirms, shareCounts, gone, deadline } = state
  const { threshold } = facts.graph
  const fewest = active.reduce(
    (least, place) => Math.min(least, shareCounts.get(facts.ids[place] as ClientId) ?? 0),
    facts.graph.holders,
  )
  if (fewest >= threshold) return { state: { ...state, phase: 'completed' }, effects: [{ type: 'unmask' }] }
  const waiting = [...confirms.keys()].some((id) => !answers.has(id) && !gone.has(id))
  if (waiting && now < deadline) return undefined
  return abortCoordinator(
    facts.round,
    'FL_TOO_FEW_SHARES',
    `a secret of round ${facts.round} has ${fewest} valid shares, where ${threshold} are needed`,
  )
}

function openAnswer(env: CoordinatorEnv, state: Phase<'unmasking'>, from: ClientId, sealed: Uint8Array): UnmaskShares | Fault {
  const broken = fault('FL_SEAL_BROKEN', 'the answer is not sealed to this coordinator in this round')
  const entry = state.facts.roster[placeOf(state.facts.places, from)]
  const shared = entry && sharedKey(env.curves, env.coordinatorSecret, entry.channelKey)
  if (shared === undefined) return broken
  const length = sealed.length - sealedBytes(0)
  const plain = length < 0 ? undefined : openSeal(sealKey(shared, state.facts.context, 'unmask', from), sealed, length)
  return plain === undefined ? broken : attempt(() => decode(unmaskShares, plain))
}
