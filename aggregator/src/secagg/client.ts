import { equalBytes, toHex, wipe } from '../core/bytes.ts'
import { isErrorCode } from '../core/errors.ts'
import { hash } from '../crypto/kdf.ts'
import { encodeServerMessage } from '../wire/messages.ts'
import { ROUND_NONCE_BYTES } from '../wire/records.ts'
import { abortRound, collectCertificate, forget } from './client-abort.ts'
import { acceptConfirms, acceptResult, acceptSurvivors } from './client-finish.ts'
import { acceptAcks, acceptRelay } from './client-setup.ts'
import { startRound } from './client-start.ts'
import type { ClientEnv, ClientInput, ClientRound, ClientState, ClientStep } from './client-state.ts'
import { sealKey } from './context.ts'
import { isFault } from './fault.ts'

/** Which inputs each phase takes; any other is ignored, because a late or early message says nothing about this round. */
export const clientAccepts = {
  idle: ['invite'],
  recruiting: ['invite', 'start', 'abort', 'fail', 'tick'],
  setup: ['start', 'relay', 'acks', 'trained', 'abort', 'fail', 'tick'],
  collecting: ['start', 'relay', 'acks', 'trained', 'survivors', 'abort', 'fail', 'tick'],
  confirming: ['start', 'relay', 'acks', 'survivors', 'confirms', 'abort', 'fail', 'tick'],
  unmasking: ['start', 'relay', 'acks', 'survivors', 'confirms', 'result', 'abort', 'fail', 'tick'],
  completed: ['invite'],
  aborted: ['invite', 'aborts'],
} as const satisfies Record<ClientState['phase'], readonly ClientInput['type'][]>

/** When the host must call `stepClient` with a tick, in milliseconds; `undefined` while no round runs. */
export function clientDeadline(state: ClientState): number | undefined {
  return 'deadline' in state ? state.deadline : undefined
}

/**
 * One client's side of a round: no I/O, no clock. `now`: Unix milliseconds. Never throws for what the server or a peer
 * sends: a broken rule aborts the round with a typed code.
 */
export function stepClient(env: ClientEnv, state: ClientState, input: ClientInput, now: number): ClientStep {
  if (!(clientAccepts[state.phase] as readonly string[]).includes(input.type)) return { state, effects: [] }
  switch (input.type) {
    case 'fail':
      return abortRound(env, state, input.code, input.message)
    case 'abort': {
      const mine = 'facts' in state ? state.facts.round : 'round' in state ? state.round : -1
      if (input.round !== mine) return { state, effects: [] }
      return abortRound(env, state, isErrorCode(input.code) ? input.code : 'FL_ROUND_ABORTED', input.message)
    }
    case 'aborts':
      return collectCertificate(state, input.context, input.macs)
    case 'tick': {
      const deadline = clientDeadline(state)
      if (deadline === undefined || now < deadline) return { state, effects: [] }
      return abortRound(env, state, 'FL_ROUND_ABORTED', `the server was silent past the deadline of the ${state.phase} phase`)
    }
    case 'invite':
      return invited(env, state, input, now)
    default:
      return received(env, state, input, now)
  }
}

type RoundInput = Extract<ClientInput, { type: 'start' | 'relay' | 'acks' | 'survivors' | 'confirms' | 'result' | 'trained' }>

function invited(env: ClientEnv, state: ClientState, invite: Extract<ClientInput, { type: 'invite' }>, now: number): ClientStep {
  if (state.phase === 'recruiting' && state.round >= invite.round) return { state, effects: [] }
  const { setupMs } = env.config.deadlines
  const nonce = env.entropy.bytes(ROUND_NONCE_BYTES)
  return {
    state: { phase: 'recruiting', round: invite.round, modelHash: invite.modelHash, nonce, deadline: now + patience(setupMs) },
    effects: [{ type: 'send', message: { type: 'ready', round: invite.round, nonce } }],
  }
}

function received(env: ClientEnv, state: ClientState, input: RoundInput, now: number): ClientStep {
  if (input.type === 'trained') return trained(env, state)
  if ('facts' in state && !isOfRound(state.facts, input)) return { state, effects: [] }
  const digest = digestOf(input)
  if ('seen' in state) {
    const before = state.seen.get(input.type)
    if (before === digest) return { state, effects: [] } // sent again after a reconnection
    if (before !== undefined)
      return abortRound(
        env,
        state,
        'FL_PROTOCOL_VIOLATION',
        `the server sent two different "${input.type}" messages in one round`,
      )
  }
  const step = taken(env, state, input, now)
  if (step.state === state) return step // too early for it: the server may send it again
  if ('seen' in step.state) {
    const seen = new Map('seen' in state ? state.seen : []).set(input.type, digest)
    return { ...step, state: { ...step.state, seen } }
  }
  return step
}

function taken(env: ClientEnv, state: ClientState, input: Exclude<RoundInput, { type: 'trained' }>, now: number): ClientStep {
  const { deadlines } = env.config
  const refuse = (found: { fault: Parameters<typeof abortRound>[2]; message: string }) =>
    abortRound(env, state, found.fault, found.message)
  if (state.phase === 'recruiting' && input.type === 'start') {
    if (input.round !== state.round) return { state, effects: [] }
    const started = startRound(env, state, input, now)
    if (isFault(started)) return refuse(started)
    return {
      state: { ...started.state, seen: new Map(), deadline: now + patience(2 * deadlines.setupMs) },
      effects: started.effects,
    }
  }
  if (state.phase === 'setup' && input.type === 'relay') {
    const accepted = acceptRelay(env, state.facts, state.secrets, state.mine, input)
    if (isFault(accepted)) return refuse(accepted)
    const { membership, macs } = accepted
    return {
      state: { ...state, membership },
      effects: [{ type: 'send', message: { type: 'ack', context: state.facts.context, macs } }],
    }
  }
  if (state.phase === 'setup' && input.type === 'acks' && state.membership !== undefined) {
    const { facts, mine, membership, secrets, seen } = state
    const accepted = acceptAcks(env, facts, secrets, mine, membership, input)
    if (isFault(accepted)) return refuse(accepted)
    wipe(secrets.maskSecret, secrets.selfSeed) // from here only the shares of them live on
    const collecting = {
      phase: 'collecting',
      facts,
      mine,
      ...accepted,
      seen,
      deadline: now + patience(deadlines.collectingMs),
    } as const
    return state.trained ? trained(env, collecting) : { state: collecting, effects: [] }
  }
  if (state.phase === 'collecting' && input.type === 'survivors') {
    const { facts, mine, membership, seen } = state
    const confirm = acceptSurvivors(env, facts, membership, input)
    if (isFault(confirm)) return refuse(confirm)
    if (state.masks !== undefined)
      return abortRound(env, state, 'FL_PROTOCOL_VIOLATION', 'the server counts an update that this client did not send')
    const deadline = now + patience(deadlines.confirmingMs)
    return {
      state: { phase: 'confirming', facts, mine, membership, survivors: input.survivors, seen, deadline },
      effects: [{ type: 'send', message: confirm }],
    }
  }
  if (state.phase === 'confirming' && input.type === 'confirms') {
    const { facts, mine, membership, survivors, seen } = state
    const unmask = acceptConfirms(env, facts, mine, membership, survivors, input)
    if (isFault(unmask)) return refuse(unmask)
    forget(state)
    const deadline = now + patience(deadlines.unmaskingMs + deadlines.collectingMs) // the server evaluates before it commits
    return { state: { phase: 'unmasking', facts, mine, survivors, seen, deadline }, effects: [{ type: 'send', message: unmask }] }
  }
  if (state.phase === 'unmasking' && input.type === 'result') {
    const entry = acceptResult(env, state.facts, state.survivors, input)
    if (isFault(entry)) return refuse(entry)
    const head = { index: entry.index, hash: entry.hash, modelHash: entry.modelAfter }
    return { state: { phase: 'completed', round: state.facts.round }, effects: [{ type: 'committed', head, entry: input.entry }] }
  }
  return { state, effects: [] }
}

/** The delta is ready: upload at once when the masks are, else remember it until they are. */
function trained(env: ClientEnv, state: ClientState): ClientStep {
  if (state.phase === 'setup') return { state: { ...state, trained: true }, effects: [] }
  if (state.phase !== 'collecting' || state.masks === undefined) return { state, effects: [] }
  const { facts, masks } = state
  const { modelHash, context, round } = facts
  return {
    state: { ...state, masks: undefined },
    effects: [
      { type: 'spend', modelHash, context },
      { type: 'upload', round, context, masks, sealKey: sealKey(facts.sealShared, context, 'upload', env.id) },
    ],
  }
}

function isOfRound({ round, context }: ClientRound, input: Exclude<RoundInput, { type: 'trained' }>): boolean {
  return input.type === 'start' ? input.round === round : equalBytes(input.context, context)
}

function digestOf(input: Exclude<RoundInput, { type: 'trained' }>): string {
  return toHex(hash(encodeServerMessage(input)))
}

/** How long a client waits for a server that has `ms` for a phase: twice that, and five seconds for slow links. */
function patience(ms: number): number {
  return 2 * ms + 5000
}
