import {
  type ClientEffect,
  type ClientEnv,
  type ClientInput,
  type ClientMessage,
  type ClientState,
  clientDeadline,
  type ErrorCode,
  equalBytes,
  FedweaveError,
  hash,
  type LocalUpdate,
  openEntry,
  PRG_KEY_BYTES,
  stepClient,
  toHex,
} from '@fedweave/aggregator'
import { AbortStatements } from './abort-statements.ts'
import type { ClientEvents, Emitter } from './events.ts'
import type { Platform } from './platform.ts'
import { retryWhatPasses } from './retry.ts'
import type { LedgerKeeper } from './storage/ledger-keeper.ts'
import type { Trainer } from './training/trainer.ts'
import type { Transport } from './transport/transport.ts'
import { uploadUntilCounted } from './upload.ts'
import { fetchWeights } from './weights.ts'
import { type Masker, type MaskingJob, maskerOf } from './worker/masker.ts'

export interface RunnerOptions {
  readonly platform: Platform
  readonly transport: Transport
  readonly ledger: LedgerKeeper
  readonly trainer: Trainer
  readonly events: Emitter<ClientEvents>
  /** Every random choice of training follows from it. */
  readonly seed: number
  send(message: ClientMessage): void
  /** Hex token of the session that stands. */
  session(): string
}

/** Failures that come from the server or the moment: the next round may do better. */
const OF_THE_ROUND: ReadonlySet<ErrorCode> = new Set([
  'FL_ROUND_STALE',
  'FL_WRONG_PHASE',
  'FL_NOT_IN_ROSTER',
  'FL_DUPLICATE',
  'FL_SEAL_BROKEN',
  'FL_SERVER_UNREACHABLE',
  'FL_SERVER_FAULT',
  'FL_TRAINER_CRASHED',
])

/**
 * Drives one client's machine, round after round: the only place that owns its timer, trains and uploads for it, and
 * lets one input after the other through, each with its durable effects done before the next.
 */
export class RoundRunner {
  readonly #options: RunnerOptions
  #trainer: Trainer
  #masker: Masker
  #env: ClientEnv
  #state: ClientState = { phase: 'idle' }
  #tail: Promise<unknown> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What this client sent in the running round, to be sent again after a reconnection. */
  #sent: ClientMessage[] = []
  readonly #statements = new AbortStatements()
  /** Ends what runs for the current round when the round ends. */
  #work = new AbortController()
  /** The delta trained on the base model of that hash, for a round that is repeated. */
  #trained: { readonly modelHash: string; readonly update: LocalUpdate } | undefined

  constructor(options: RunnerOptions, env: ClientEnv) {
    this.#options = options
    this.#trainer = options.trainer
    this.#masker = maskerOf(options.trainer, options.platform)
    this.#env = env
  }

  /** Whether a round runs whose roster this client is in. */
  get inRound(): boolean {
    return 'facts' in this.#state
  }

  /** Other data, between two rounds: what was trained on the data before is not sent any more. */
  trainWith(trainer: Trainer): void {
    this.#trainer = trainer
    this.#masker = maskerOf(trainer, this.#options.platform)
    this.#trained = undefined
  }

  /** A connection stands again: go on with the round if the server still runs it, else give it up. */
  reconnected(env: ClientEnv, activeContext: Uint8Array | undefined): Promise<unknown> {
    return this.#turn(async () => {
      for (const statement of this.#statements.made) this.#options.send(statement)
      if ('facts' in this.#state) {
        const { context, round } = this.#state.facts
        if (activeContext !== undefined && equalBytes(activeContext, context)) {
          this.#sendAgain()
          return
        }
        await this.#step({ type: 'abort', round, code: 'FL_ROUND_ABORTED', message: 'the server no longer runs this round' })
      }
      this.#env = env
      if (this.#state.phase === 'recruiting') this.#sendAgain()
    })
  }

  /** Whatever of the round may have been lost with the old connection: the server takes each once. */
  #sendAgain(): void {
    const started = 'facts' in this.#state // then the server has the `ready`
    for (const message of this.#sent) if (!started || message.type !== 'ready') this.#options.send(message)
  }

  /** Takes one input in its turn. */
  input(
    input: Exclude<ClientInput, { type: 'start' }> | Omit<Extract<ClientInput, { type: 'start' }>, 'ledger'>,
  ): Promise<unknown> {
    return this.#turn(() => {
      if (input.type === 'invite') return this.#invited(input)
      return this.#step(input.type === 'start' ? { ...input, ledger: this.#options.ledger.view } : input)
    })
  }

  /** Resolves when all inputs so far are dealt with. */
  settled(): Promise<unknown> {
    return this.#tail
  }

  /** Gives a running round up, telling the others so. */
  async stop(error: FedweaveError): Promise<void> {
    await this.input({ type: 'fail', code: error.code, message: error.message })
  }

  /** Nothing runs any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#work.abort()
  }

  #turn(work: () => Promise<unknown>): Promise<unknown> {
    const turn = this.#tail.then(work)
    this.#tail = turn.catch((error: unknown) => this.#failed(error))
    return this.#tail
  }

  async #invited(invite: Extract<ClientInput, { type: 'invite' }>): Promise<void> {
    if ('facts' in this.#state) {
      if (invite.round <= this.#state.facts.round) return
      await this.#step({
        type: 'abort',
        round: this.#state.facts.round,
        code: 'FL_ROUND_ABORTED',
        message: 'the server went on to another round',
      })
    }
    if (this.#options.ledger.isSpent(invite.modelHash)) {
      this.#options.send({ type: 'decline', round: invite.round, code: 'FL_BASE_SPENT' })
      return
    }
    this.#work.abort()
    this.#work = new AbortController()
    this.#sent = []
    this.#statements.follow(invite.modelHash)
    await this.#step(invite)
  }

  async #step(input: ClientInput): Promise<void> {
    const before = this.#state
    const { state, effects } = stepClient(this.#env, before, input, Date.now())
    this.#state = state
    this.#armTimer()
    if (state.phase !== before.phase && 'facts' in state) {
      this.#options.events.emit('phase', { round: state.facts.round, phase: state.phase })
    }
    for (const effect of effects) await this.#carryOut(effect)
  }

  async #carryOut(effect: ClientEffect): Promise<void> {
    const { ledger, events, send } = this.#options
    switch (effect.type) {
      case 'send':
        if (effect.message.type === 'aborted') this.#statements.add(effect.message)
        else this.#sent.push(effect.message)
        return send(effect.message)
      case 'remember':
        return ledger.remember(effect.round, effect.head)
      case 'spend':
        return ledger.spend(effect.modelHash, effect.context)
      case 'train':
        return this.#inBackground(effect.round, () => this.#train(effect))
      case 'upload': {
        const job = this.#maskingJob(effect)
        return this.#inBackground(effect.round, () => this.#upload(effect, job))
      }
      case 'reopen':
        await ledger.reopen(effect.context)
        return send({ type: 'available' })
      case 'committed': {
        await ledger.advance(effect.head)
        const entry = openEntry(this.#env.curves, this.#env.operatorKey, effect.entry)
        const { round, cohorts, evaluation } = entry
        const survivors = cohorts.reduce((sum, cohort) => sum + cohort.survivors.length, 0)
        const evaluated = evaluation === undefined ? {} : { evaluation }
        return events.emit('round', {
          round,
          outcome: 'committed',
          modelHash: toHex(entry.modelAfter),
          survivors,
          ...evaluated,
        })
      }
      case 'aborted': {
        this.#work.abort()
        const { code, message } = effect
        const round = 'round' in this.#state ? this.#state.round : 0
        return events.emit('round', { round, outcome: 'aborted', code, message })
      }
    }
  }

  async #train({ modelHash, round }: Extract<ClientEffect, { type: 'train' }>): Promise<void> {
    const key = toHex(modelHash)
    if (this.#trained?.modelHash !== key) {
      const { transport, events, seed } = this.#options
      const { model, plan, taskId } = this.#env.config
      const { signal } = this.#work
      const weights = await retryWhatPasses(() => fetchWeights(transport, taskId, modelHash, signal), signal)
      const roundSeed = new DataView(hash('training', seed, taskId, modelHash).buffer).getUint32(0)
      const onProgress = (progress: Omit<ClientEvents['progress'], 'round'>) => events.emit('progress', { ...progress, round })
      const update = await this.#trainer.train({ model, weights, plan, seed: roundSeed }, { signal, onProgress })
      this.#trained = { modelHash: key, update }
    }
    await this.input({ type: 'trained' })
  }

  /** Draws the rounding key in this turn, so that a seeded client draws in one order. */
  #maskingJob({ context, masks, sealKey }: Extract<ClientEffect, { type: 'upload' }>): MaskingJob {
    if (this.#trained === undefined) throw new Error('an upload is due before training ended')
    const { update } = this.#trained
    const roundingKey = this.#options.platform.entropy.bytes(PRG_KEY_BYTES)
    return { config: this.#env.config, context, update, roundingKey, masks, sealKey }
  }

  /** Masking takes a while as well, and messages go on meanwhile. The bytes are made once and sent again as they are. */
  async #upload({ context, round }: Extract<ClientEffect, { type: 'upload' }>, job: MaskingJob): Promise<void> {
    const { signal } = this.#work
    const sealed = await this.#masker.maskAndSeal(job)
    if (signal.aborted) return // the round ended first
    const { transport, session, events } = this.#options
    await uploadUntilCounted(transport, { task: job.config.taskId, context: toHex(context), session, sealed }, signal)
    events.emit('uploaded', { round, bytes: sealed.length })
  }

  /**
   * Training, masking and uploading must not hold up messages. When they fail, the round is given up; when the cause lies on this
   * side, the client is too, because the next round would fail like this one.
   */
  #inBackground(round: number, work: () => Promise<void>): void {
    const { signal } = this.#work
    work().catch((error: unknown) => {
      if (signal.aborted) return // the round ended first
      void this.#turn(async () => {
        if (!('facts' in this.#state) || this.#state.facts.round !== round) return
        if (error instanceof FedweaveError && OF_THE_ROUND.has(error.code))
          await this.#step({ type: 'fail', code: error.code, message: error.message })
        else await this.#failed(error)
      })
    })
  }

  async #failed(error: unknown): Promise<void> {
    const known = error instanceof FedweaveError ? error : new FedweaveError('FL_ROUND_ABORTED', String(error), { cause: error })
    await this.#step({ type: 'fail', code: known.code, message: known.message })
    this.#options.events.emit('error', known)
  }

  #armTimer(): void {
    clearTimeout(this.#timer)
    const deadline = clientDeadline(this.#state)
    if (deadline !== undefined)
      this.#timer = setTimeout(() => void this.input({ type: 'tick' }), Math.max(0, deadline - Date.now()))
  }
}
