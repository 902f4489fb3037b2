import { equalBytes } from '../core/bytes.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import type { RosterEntry } from '../wire/records.ts'
import { abortCoordinator } from './coordinator-abort.ts'
import { acceptConfirm, acceptUnmask, closeCollecting, closeConfirming, closeUnmasking } from './coordinator-finish.ts'
import { acceptAck, acceptSetup, closeAcks, closeRecruiting, closeSetup } from './coordinator-setup.ts'
import type {
  CoordinatorEffect,
  CoordinatorEnv,
  CoordinatorInput,
  CoordinatorState,
  CoordinatorStep,
  RoundBase,
} from './coordinator-state.ts'
import { type Fault, fault, isFault } from './fault.ts'

/** Which inputs each phase takes from clients and uploads; `gone`, `back`, `fail` and `tick` are taken in all. */
export const coordinatorAccepts = {
  recruiting: ['ready', 'declined'],
  setup: ['setup'],
  collecting: ['ack', 'uploaded'],
  confirming: ['confirm'],
  unmasking: ['unmask'],
  completed: [],
  aborted: [],
} as const satisfies Record<CoordinatorState['phase'], readonly string[]>

/** When the host must call `stepCoordinator` with a tick, in milliseconds; `undefined` once the round is over. */
export function coordinatorDeadline(state: CoordinatorState): number | undefined {
  if (state.phase === 'completed' || !('deadline' in state)) return undefined
  return state.phase === 'collecting' && state.activated === undefined
    ? Math.min(state.ackDeadline, state.deadline)
    : state.deadline
}

/** Opens a round by inviting `invited`. */
export function openRound(env: CoordinatorEnv, base: RoundBase, invited: readonly ClientId[], now: number): CoordinatorStep {
  const { setupMs } = env.config.deadlines
  const { round, modelHash } = base
  return {
    state: { phase: 'recruiting', base, invited: new Set(invited), entries: new Map(), deadline: now + setupMs },
    effects: invited.map((to) => ({ type: 'send', to, message: { type: 'invite', round, modelHash, deadlineMs: setupMs } })),
  }
}

/**
 * The server's side of a round: no I/O, no clock. `now`: Unix milliseconds. What a client sends never throws: it is
 * taken, rejected with a typed code, or ends the round.
 */
export function stepCoordinator(
  env: CoordinatorEnv,
  state: CoordinatorState,
  input: CoordinatorInput,
  now: number,
): CoordinatorStep {
  if (state.phase === 'completed' || state.phase === 'aborted') return over(state, input)
  const step = take(env, state, input, now)
  const closed = close(env, step.state, now)
  return closed === undefined ? step : { state: closed.state, effects: [...step.effects, ...closed.effects] }
}

export function roundOf(state: CoordinatorState): number {
  if (state.phase === 'aborted') return state.round
  return state.phase === 'recruiting' ? state.base.round : state.facts.round
}

type Live = Exclude<CoordinatorState, { phase: 'completed' | 'aborted' }>

function over(state: CoordinatorState, input: CoordinatorInput): CoordinatorStep {
  if (isSpareAnswer(state, input)) return { state, effects: [] }
  // Rebuilding runs after `completed`, and may still fail.
  if (input.type === 'fail' && state.phase === 'completed') return abortCoordinator(state.facts.round, input.code, input.message)
  return { state, effects: 'from' in input && input.type !== 'gone' && input.type !== 'back' ? [wrongPhase(state, input)] : [] }
}

/** The sum was complete before this answer came; its sender could not know. */
function isSpareAnswer(state: CoordinatorState, input: CoordinatorInput): boolean {
  if (state.phase !== 'completed' || input.type !== 'message' || input.message.type !== 'unmask') return false
  return state.confirms.has(input.from) && equalBytes(input.message.context, state.facts.context)
}

function take(env: CoordinatorEnv, state: Live, input: CoordinatorInput, now: number): CoordinatorStep {
  switch (input.type) {
    case 'tick':
      return { state, effects: [] }
    case 'fail':
      return abortCoordinator(roundOf(state), input.code, input.message)
    case 'gone':
      if (state.phase === 'recruiting') return { state: withdraw(state, input.from), effects: [] }
      return { state: { ...state, gone: new Set(state.gone).add(input.from) }, effects: [] }
    case 'back': {
      if (state.phase === 'recruiting') return { state, effects: [] }
      const gone = new Set(state.gone)
      gone.delete(input.from)
      return { state: { ...state, gone }, effects: [] }
    }
    case 'ready':
      return ready(env, state, input, now)
    case 'declined':
      return state.phase === 'recruiting' && input.round === state.base.round
        ? { state: withdraw(state, input.from), effects: [] }
        : { state, effects: [] }
    case 'uploaded':
      return uploaded(state, input)
    case 'message':
      return message(env, state, input)
  }
}

function withdraw(state: Extract<Live, { phase: 'recruiting' }>, id: ClientId): Live {
  const invited = new Set(state.invited)
  const entries = new Map(state.entries)
  invited.delete(id)
  entries.delete(id)
  return { ...state, invited, entries }
}

function ready(
  env: CoordinatorEnv,
  state: Live,
  input: Extract<CoordinatorInput, { type: 'ready' }>,
  now: number,
): CoordinatorStep {
  if (state.phase !== 'recruiting') return rejected(state, wrongPhase(state, input))
  if (input.round !== state.base.round) {
    return rejected(
      state,
      reject(input.from, 'FL_ROUND_STALE', `round ${input.round} is over; this is round ${state.base.round}`),
    )
  }
  if (!state.invited.has(input.from)) return rejected(state, notInRoster(input.from, state.base.round))
  if (state.entries.has(input.from)) return rejected(state, duplicate(input.from, 'ready'))
  const unfit = entryFault(env, input.entry, now)
  if (unfit !== undefined) return rejected(withdraw(state, input.from), reject(input.from, unfit.fault, unfit.message))
  return { state: { ...state, entries: new Map(state.entries).set(input.from, input.entry) }, effects: [] }
}

/** What in an entry would make every honest client leave the round. Its signatures were checked when the client joined. */
function entryFault(env: CoordinatorEnv, { certificate, channelKey }: RosterEntry, now: number): Fault | undefined {
  if (certificate.notAfter * 1000 <= now) return fault('FL_CERTIFICATE_INVALID', 'the certificate has expired')
  if (env.curves.x25519(env.coordinatorSecret, channelKey) === undefined)
    return fault('FL_MESSAGE_MALFORMED', 'malformed message: the channel key has low order')
  return undefined
}

function uploaded(state: Live, input: Extract<CoordinatorInput, { type: 'uploaded' }>): CoordinatorStep {
  if (state.phase !== 'collecting') return rejected(state, wrongPhase(state, input))
  if (!equalBytes(input.context, state.facts.context)) return rejected(state, stale(state, input.from))
  if (state.activated === undefined) return rejected(state, wrongPhase(state, input))
  const place = state.facts.places.get(input.from)
  if (place === undefined || !state.activated.active.includes(place))
    return rejected(state, notInRoster(input.from, state.facts.round))
  if (state.uploaded.has(input.from)) return rejected(state, duplicate(input.from, 'upload'))
  return {
    state: { ...state, uploaded: new Map(state.uploaded).set(input.from, input.digest) },
    effects: [{ type: 'accumulate', from: input.from }],
  }
}

function message(env: CoordinatorEnv, state: Live, input: Extract<CoordinatorInput, { type: 'message' }>): CoordinatorStep {
  const { from, message } = input
  if (state.phase === 'recruiting') return rejected(state, wrongPhase(state, input))
  if (!equalBytes(message.context, state.facts.context)) return rejected(state, stale(state, from))
  if (!(coordinatorAccepts[state.phase] as readonly string[]).includes(message.type)) {
    return rejected(state, sentBefore(state, from, message.type) ? duplicate(from, message.type) : wrongPhase(state, input))
  }
  const next = dispatch(env, state, from, message)
  if (isFault(next)) return rejected(state, reject(from, next.fault, next.message))
  return next
}

type Accepted = CoordinatorStep | Fault

function dispatch(
  env: CoordinatorEnv,
  state: Live,
  from: ClientId,
  message: Extract<CoordinatorInput, { type: 'message' }>['message'],
): Accepted {
  if (state.phase === 'setup' && message.type === 'setup') return acceptSetup(env, state, from, message)
  if (state.phase === 'collecting' && message.type === 'ack') return acceptAck(state, from, message)
  if (state.phase === 'confirming' && message.type === 'confirm') return acceptConfirm(env, state, from, message)
  if (state.phase === 'unmasking' && message.type === 'unmask') return acceptUnmask(env, state, from, message)
  throw new Error(`coordinatorAccepts lets ${message.type} into ${state.phase}, but nothing takes it there`)
}

/** Ends a phase when everybody it waits for has delivered, or when its time is over. */
function close(env: CoordinatorEnv, state: CoordinatorState, now: number): CoordinatorStep | undefined {
  switch (state.phase) {
    case 'recruiting':
      return closeRecruiting(env, state, now)
    case 'setup':
      return closeSetup(env, state, now)
    case 'collecting':
      return state.activated === undefined ? closeAcks(state, now) : closeCollecting(env, state, state.activated, now)
    case 'confirming':
      return closeConfirming(env, state, now)
    case 'unmasking':
      return closeUnmasking(state, now)
    case 'completed':
    case 'aborted':
      return undefined
  }
}

function sentBefore(state: Exclude<Live, { phase: 'recruiting' }>, from: ClientId, type: string): boolean {
  if (type === 'setup') return state.setups.has(from)
  if (type === 'ack') return state.phase === 'collecting' ? state.acks.has(from) : state.phase !== 'setup'
  return type === 'confirm' && state.phase === 'unmasking' && state.confirms.has(from)
}

function rejected(state: CoordinatorState, effect: CoordinatorEffect): CoordinatorStep {
  return { state, effects: [effect] }
}

function reject(to: ClientId, code: ErrorCode, message: string): CoordinatorEffect {
  return { type: 'reject', to, code, message }
}

function wrongPhase(state: CoordinatorState, input: Extract<CoordinatorInput, { from: ClientId }>): CoordinatorEffect {
  const what = input.type === 'message' ? input.message.type : input.type
  return reject(input.from, 'FL_WRONG_PHASE', `"${what}" does not belong to the ${state.phase} phase of round ${roundOf(state)}`)
}

function stale(state: CoordinatorState, to: ClientId): CoordinatorEffect {
  return reject(to, 'FL_ROUND_STALE', `the message is of another round than round ${roundOf(state)}`)
}

function duplicate(to: ClientId, what: string): CoordinatorEffect {
  return reject(to, 'FL_DUPLICATE', `a "${what}" of this client has already counted in this round`)
}

function notInRoster(to: ClientId, round: number): CoordinatorEffect {
  return reject(to, 'FL_NOT_IN_ROSTER', `this client is not in round ${round}`)
}
