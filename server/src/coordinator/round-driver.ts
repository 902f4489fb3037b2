import {
  type ClientId,
  type CoordinatorEffect,
  type CoordinatorEnv,
  type CoordinatorInput,
  type CoordinatorState,
  type CoordinatorStep,
  coordinatorDeadline,
  type ErrorCode,
  FedweaveError,
  openRound,
  type Prg,
  type RoundBase,
  resumeRound,
  roundOf,
  type Segments,
  type ServerMessage,
  stepCoordinator,
  type UpdateFormat,
} from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { ClientProgress, TaskEvent } from './events.ts'
import type { InterruptedCohort } from './interrupted.ts'
import type { Member } from './members.ts'
import { refusal } from './refusal.ts'
import { RoundWork } from './round-work.ts'

/** What a round needs of the task that runs it. */
export interface RoundHooks {
  send(to: ClientId, message: ServerMessage): void
  /** Keeps what finishing the round takes; durable when it resolves. */
  persistRound(state: Extract<CoordinatorState, { phase: 'unmasking' }>, work: RoundWork): Promise<void>
  /** Decodes, applies the strategy, commits. A `FedweaveError` aborts the round. */
  commit(state: Extract<CoordinatorState, { phase: 'completed' }>, work: RoundWork): Promise<void>
  event(event: TaskEvent): void
}

export interface RoundOptions {
  readonly env: CoordinatorEnv
  readonly begin: Beginning
  readonly format: UpdateFormat
  readonly prg: Prg
  readonly pool: ComputePool
  readonly hooks: RoundHooks
}

/** A new round, or one that an earlier run of the server did not finish. */
export type Beginning = { readonly base: RoundBase; readonly invited: readonly Member[] } | InterruptedCohort

export type RoundOutcome =
  | { readonly outcome: 'committed' }
  | { readonly outcome: 'aborted'; readonly code: ErrorCode; readonly message: string }

/** What clients get to come back in after the server did: their pauses between two attempts are shorter. */
const RETURN_MS = 30_000

const PROGRESS = {
  setup: 'shared-keys',
  ack: 'acknowledged',
  confirm: 'confirmed',
  unmask: 'unmasked',
} as const satisfies Record<string, ClientProgress>

/**
 * Drives one round's machine: the only place that owns its timer, and that lets one input after the other through,
 * each with its effects done before the next.
 */
export class RoundDriver {
  readonly done: Promise<RoundOutcome>
  readonly #options: RoundOptions
  readonly #work: RoundWork
  /** Every message of this round by receiver, to be sent again after a reconnection. */
  readonly #sent = new Map<ClientId, ServerMessage[]>()
  /** Digest of the upload that counted, by client: an upload sent again gets the same receipt. */
  readonly #receipts = new Map<ClientId, string>()
  /** What each client's last upload took on its socket. */
  readonly #socketBytes = new Map<ClientId, number>()
  #settle: (outcome: RoundOutcome) => void = () => undefined
  #state: CoordinatorState
  #members: readonly ClientId[]
  #tail: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #phaseSince = performance.now()

  constructor(options: RoundOptions) {
    this.#options = options
    this.#work = new RoundWork(options.env.config, options.format, options.prg, options.pool)
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
    const opened = this.#begin(options.begin)
    this.#state = opened.state
    this.#members = clientsOf(opened.state) ?? []
    options.hooks.event({ type: 'phase', round: this.round, phase: this.phase, clients: this.#members.length })
    this.#tail = this.#carryOut(opened.effects)
    this.#armTimer()
  }

  get round(): number {
    return roundOf(this.#state)
  }

  get phase(): CoordinatorState['phase'] {
    return this.#state.phase
  }

  /** Once the roster is fixed. */
  get context(): Uint8Array | undefined {
    return 'facts' in this.#state ? this.#state.facts.context : undefined
  }

  /** Who was invited; from setup on, the roster. */
  get members(): readonly ClientId[] {
    return this.#members
  }

  /** The channel key under which this client is in the roster: another one is that of another process, without its secrets. */
  channelKeyOf(id: ClientId): Uint8Array | undefined {
    if (!('facts' in this.#state)) return undefined
    const { places, roster } = this.#state.facts
    return roster[places.get(id) ?? -1]?.channelKey
  }

  /** Takes one input in its turn; resolves with its effects once they are done. */
  input(input: CoordinatorInput): Promise<readonly CoordinatorEffect[]> {
    return this.#turn(() => this.#step(input))
  }

  /** Sends a client that came back everything that it may have missed. */
  replay(to: ClientId): void {
    for (const message of this.#sent.get(to) ?? []) this.#options.hooks.send(to, message)
  }

  /**
   * Opens a whole upload, whose ArrayBuffer is taken from the caller, and counts it. The same upload again gets the same
   * answer; `socketBytes` is what it took on the wire. Throws what the machine rejects it with.
   */
  async upload(member: Member, context: Uint8Array, sealed: Uint8Array, socketBytes: number): Promise<void> {
    const { curves, coordinatorSecret } = this.#options.env
    const from = member.id
    const opened = await this.#work.open(curves, coordinatorSecret, member.entry.channelKey, context, from, sealed)
    const { digest } = opened
    const refused = await this.#turn(async () => {
      if (this.#receipts.get(from) === digest) return undefined
      this.#socketBytes.set(from, socketBytes)
      const effects = await this.#step({ type: 'uploaded', from, context, digest }, opened)
      const rejection = effects.find((effect) => effect.type === 'reject')
      if (rejection === undefined) this.#receipts.set(from, digest)
      return rejection
    })
    if (refused !== undefined) throw new FedweaveError(refused.code, refused.message)
    this.#work.uploadBytes = Math.max(this.#work.uploadBytes, socketBytes)
  }

  stop(code: ErrorCode, message: string): Promise<unknown> {
    return this.input({ type: 'fail', code, message })
  }

  #begin(begin: Beginning): CoordinatorStep {
    const { env } = this.#options
    if ('base' in begin)
      return openRound(
        env,
        begin.base,
        begin.invited.map(({ id }) => id),
        Date.now(),
      )
    this.#work.add(begin.sum)
    this.#work.uploadBytes = begin.uploadBytes
    return resumeRound(env, begin.record, Date.now(), RETURN_MS)
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work)
    this.#tail = turn.catch((error: unknown) => this.#broken(error))
    return turn
  }

  /** `upload`: the words of the upload that the input tells of. */
  async #step(input: CoordinatorInput, upload?: Segments<Uint32Array>): Promise<readonly CoordinatorEffect[]> {
    const before = this.#state
    const { state, effects } = stepCoordinator(this.#options.env, before, input, Date.now())
    this.#state = state
    if (before.phase === 'recruiting' && state.phase === 'setup') this.#members = state.facts.ids
    this.#armTimer()
    this.#tellProgress(before, input, effects)
    await this.#carryOut(effects, upload)
    return effects
  }

  async #carryOut(effects: readonly CoordinatorEffect[], upload?: Segments<Uint32Array>): Promise<void> {
    const { hooks } = this.#options
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          this.#sent.set(effect.to, [...(this.#sent.get(effect.to) ?? []), effect.message])
          hooks.send(effect.to, effect.message)
          break
        case 'reject':
          hooks.send(effect.to, refusal(new FedweaveError(effect.code, effect.message), false))
          break
        case 'accumulate':
          if (upload === undefined) throw new Error('an update counted that was never opened')
          this.#work.add(upload)
          break
        case 'persist-round':
          if (this.#state.phase === 'unmasking') await hooks.persistRound(this.#state, this.#work)
          break
        case 'blame':
          hooks.event({
            type: 'warning',
            message: `client ${effect.holder} gave a false share of client ${effect.owner}; it was left out`,
          })
          break
        case 'unmask':
          await this.#commit()
          break
        case 'aborted':
          this.#settle({ outcome: 'aborted', code: effect.code, message: effect.message })
          break
      }
    }
  }

  async #commit(): Promise<void> {
    if (this.#state.phase !== 'completed') return
    try {
      await this.#options.hooks.commit(this.#state, this.#work)
      this.#settle({ outcome: 'committed' })
    } catch (error) {
      const { code, message } = asFault(error)
      await this.#step({ type: 'fail', code, message })
    }
  }

  /** A fault of ours in the middle of a step: give the round up, keep the server. */
  async #broken(error: unknown): Promise<void> {
    const { code, message } = asFault(error)
    this.#options.hooks.event({ type: 'warning', message: `round ${this.round}: ${message}` })
    await this.#step({ type: 'fail', code, message })
  }

  #armTimer(): void {
    clearTimeout(this.#timer)
    const deadline = coordinatorDeadline(this.#state)
    if (deadline === undefined) return
    this.#timer = setTimeout(() => void this.input({ type: 'tick' }).catch(() => undefined), Math.max(0, deadline - Date.now()))
  }

  #tellProgress(before: CoordinatorState, input: CoordinatorInput, effects: readonly CoordinatorEffect[]): void {
    const { hooks } = this.#options
    const state = this.#state
    if ('from' in input && !effects.some((effect) => effect.type === 'reject')) {
      if (input.type === 'ready') this.#progress(input.from, 'ready')
      if (input.type === 'uploaded') this.#progress(input.from, 'uploaded', { bytes: this.#socketBytes.get(input.from) ?? 0 })
      if (input.type === 'message') this.#progress(input.from, PROGRESS[input.message.type])
    }
    if (state.phase === before.phase) return
    const now = performance.now()
    hooks.event({ type: 'phase-ended', round: this.round, phase: before.phase, seconds: (now - this.#phaseSince) / 1000 })
    this.#phaseSince = now
    const [was, is] = [clientsOf(before), clientsOf(state)]
    if (is !== undefined) hooks.event({ type: 'phase', round: this.round, phase: state.phase, clients: is.length })
    if (was !== undefined && is !== undefined && state.phase !== 'setup')
      for (const id of was) if (!is.includes(id)) this.#progress(id, 'dropped', { phase: before.phase })
  }

  #progress(client: ClientId, progress: ClientProgress, more: { readonly bytes?: number; readonly phase?: string } = {}): void {
    this.#options.hooks.event({ type: 'client', round: this.round, client, progress, ...more })
  }
}

/** Who is still in the round in this phase. */
function clientsOf(state: CoordinatorState): readonly ClientId[] | undefined {
  switch (state.phase) {
    case 'recruiting':
      return [...state.invited]
    case 'setup':
      return state.facts.ids
    case 'collecting':
      return state.members.map(({ id }) => id)
    case 'confirming':
    case 'unmasking':
    case 'completed':
      return state.survivors
    case 'aborted':
      return undefined
  }
}

function asFault(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof FedweaveError) return error
  return { code: 'FL_SERVER_FAULT', message: error instanceof Error ? error.message : String(error) }
}
