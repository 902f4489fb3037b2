import { EventEmitter } from 'node:events'
import {
  type ClientMessage,
  type CoordinatorEnv,
  type CoordinatorState,
  clientIdOf,
  type ErrorCode,
  encodeServerMessage,
  equalBytes,
  FedweaveError,
  fedAvg,
  hash,
  largestRoster,
  type Prg,
  type RosterEntry,
  type ServerMessage,
  toHex,
  UpdateFormat,
} from '@fedweave/aggregator'
import type { Evaluator } from '../evaluation/evaluator.ts'
import { AbortMailbox } from './abort-mailbox.ts'
import type { TaskEvent } from './events.ts'
import type { TaskHistory } from './history.ts'
import type { ServerKeys } from './identity.ts'
import { type Member, Members } from './members.ts'
import type { Peer } from './peer.ts'
import { ascii, refusal } from './refusal.ts'
import { RoundDriver } from './round-driver.ts'
import type { RoundWork } from './round-work.ts'
import { selectCohort } from './selection.ts'

export interface TaskOptions {
  readonly keys: ServerKeys
  readonly history: TaskHistory
  readonly evaluator: Evaluator | undefined
  readonly prg: Prg
  /** How long a client whose connection broke is waited for. */
  readonly reconnectMs: number
}

/** Pause after an aborted round, in which clients can complete their abort certificates. */
const PAUSE_AFTER_ABORT_MS = 1000

/** One standing training job: its clients, its rounds, one after the other, and what they committed. */
export class Task {
  readonly id: string
  readonly history: TaskHistory
  readonly format: UpdateFormat
  readonly events = new EventEmitter<{ event: [TaskEvent] }>()
  readonly #options: TaskOptions
  readonly #members = new Members()
  readonly #mailbox = new AbortMailbox()
  readonly #env: CoordinatorEnv
  readonly #strategy = fedAvg()
  #round: RoundDriver | undefined
  #recruiting: NodeJS.Timeout | undefined
  #opening = false
  #stopped = false

  constructor(options: TaskOptions) {
    const { keys, history } = options
    this.#options = options
    this.history = history
    this.id = history.config.taskId
    this.format = new UpdateFormat(history.config)
    const { curves, coordinatorSecret, coordinatorKey } = keys
    this.#env = { curves, config: history.config, configHash: history.configHash, coordinatorSecret, coordinatorKey }
  }

  /** Where the task stands, for its API. */
  get status() {
    const { config, head, rounds } = this.history
    const round = this.#round
    return {
      id: this.id,
      state: this.#finished ? 'finished' : round === undefined ? 'waiting' : 'running',
      rounds: { committed: rounds, planned: config.rounds },
      clients: { connected: this.#members.connected.length, minimum: config.cohort.minimum, target: config.cohort.target },
      ...(round === undefined ? {} : { round: { number: round.round, phase: round.phase, clients: round.members.length } }),
      model: { hash: toHex(head.modelAfter), parameters: this.format.size },
      ...(head.evaluation === undefined ? {} : { evaluation: head.evaluation }),
      trust: config.enrolment.holder === 'server' ? 'honest-but-curious server only' : 'malicious server',
    }
  }

  /** Takes a proven client in and brings it up to date. Throws `FL_SESSION_REPLACED`. */
  join(
    entry: Omit<RosterEntry, 'nonce'>,
    session: string,
    peer: Peer,
    welcome: (activeContext: Uint8Array | undefined) => void,
  ): Member {
    const before = this.#members.get(clientIdOf(entry.certificate.identityKey))
    const member = this.#members.join(entry, session, peer)
    const round = this.#round?.members.includes(member.id) ? this.#round : undefined
    const sameProcess = before !== undefined && equalBytes(before.entry.channelKey, entry.channelKey)
    welcome(sameProcess ? round?.context : undefined)
    this.#event({ type: 'clients', connected: this.#members.connected.length })
    if (round !== undefined && sameProcess) {
      void round.input({ type: 'back', from: member.id })
      round.replay(member.id)
    } else void round?.input({ type: 'gone', from: member.id }) // its round secrets are gone with the process that had them
    this.#deliverAborts([member])
    if (this.#finished) this.#send(member, { type: 'finished', round: this.history.head.round })
    else this.#consider()
    return member
  }

  /** The connection is gone. A client in a running round is waited for a little, then no more. */
  leave(member: Member, peer: Peer): void {
    if (member.peer !== peer) return // it is already back on another connection
    member.peer = undefined
    this.#event({ type: 'clients', connected: this.#members.connected.length })
    setTimeout(() => {
      if (this.#members.get(member.id) !== member || member.peer !== undefined) return
      void this.#round?.input({ type: 'gone', from: member.id })
      if (!this.#round?.members.includes(member.id)) this.#members.forget(member)
    }, this.#options.reconnectMs).unref()
  }

  /** A parsed message of a joined client. */
  receive(member: Member, message: ClientMessage): void {
    const from = member.id
    switch (message.type) {
      case 'hello':
        return this.#refuse(member, 'FL_WRONG_PHASE', 'this connection has already said hello')
      case 'available':
        member.spentOn = undefined
        return this.#consider()
      case 'aborted':
        this.#mailbox.post(from, message)
        return this.#deliverAborts(this.#members.connected)
      case 'decline':
        if (message.code === 'FL_BASE_SPENT') member.spentOn = toHex(this.history.head.modelAfter)
        return this.#input(member, message.round, { type: 'declined', from, round: message.round })
      case 'ready':
        return this.#input(member, message.round, {
          type: 'ready',
          from,
          round: message.round,
          entry: { ...member.entry, nonce: message.nonce },
        })
      case 'setup':
      case 'ack':
      case 'confirm':
      case 'unmask':
        return this.#input(member, undefined, { type: 'message', from, message })
    }
  }

  member(session: string): Member | undefined {
    return this.#members.bySession(session)
  }

  /** Whether an upload of this client for that round can still count; throws the typed reason when not. */
  checkUpload(member: Member, context: Uint8Array): void {
    const running = this.#round?.context
    if (running === undefined || !equalBytes(running, context))
      throw new FedweaveError('FL_ROUND_STALE', 'the upload is of a round that is over')
    if (!this.#round?.members.includes(member.id))
      throw new FedweaveError('FL_NOT_IN_ROSTER', 'this client is not in the running round')
  }

  async upload(member: Member, context: Uint8Array, sealed: Uint8Array, socketBytes: number): Promise<void> {
    this.checkUpload(member, context)
    await this.#round?.upload(member, context, sealed, socketBytes)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#recruiting)
    await this.#round?.stop('FL_ROUND_ABORTED', 'the server is shutting down')
    for (const { peer } of this.#members.connected) peer?.close()
    await this.#options.evaluator?.close()
    await this.history.close()
  }

  get #finished(): boolean {
    return this.history.rounds >= this.history.config.rounds
  }

  #input(member: Member, round: number | undefined, input: Parameters<RoundDriver['input']>[0]): void {
    const running = this.#round
    if (running === undefined)
      return this.#refuse(member, 'FL_ROUND_STALE', `no round is running${round === undefined ? '' : `; round ${round} is over`}`)
    void running.input(input).catch(() => undefined) // the driver has already given the round up
  }

  /** Opens a round when the target is met, or when the time to wait for it is over and the minimum is met. */
  #consider(timeIsOver = false): void {
    if (this.#stopped || this.#finished || this.#round !== undefined || this.#opening) return
    const { config, head } = this.history
    const base = toHex(head.modelAfter)
    const candidates = this.#members.connected.filter(({ spentOn }) => spentOn !== base)
    const wanted = largestRoster(config)
    if (candidates.length >= wanted || (timeIsOver && candidates.length >= config.cohort.minimum)) {
      clearTimeout(this.#recruiting)
      this.#recruiting = undefined
      void this.#open(candidates, wanted)
    } else if (timeIsOver) {
      this.#recruiting = undefined
      this.#tooFew(candidates.length)
    } else {
      this.#recruiting ??= setTimeout(() => this.#consider(true), config.deadlines.recruitingMs)
    }
  }

  #tooFew(found: number): void {
    const { minimum } = this.history.config.cohort
    const message = `${found} of the ${minimum} clients that task ${this.id} needs came before the deadline`
    this.#event({ type: 'warning', message })
    for (const member of this.#members.connected) this.#refuse(member, 'FL_TOO_FEW_CLIENTS', message, true)
  }

  async #open(candidates: readonly Member[], wanted: number): Promise<void> {
    this.#opening = true
    const { history } = this
    const round = await history.nextAttempt()
    const invited = selectCohort(candidates, wanted, history.config.initialModel, round)
    const { modelAfter: modelHash, hash: headHash } = history.head
    const driver = new RoundDriver({
      env: this.#env,
      base: { round, modelHash, head: history.signedHead, headHash },
      invited,
      format: this.format,
      prg: this.#options.prg,
      hooks: {
        send: (to, message) => this.#send(this.#members.get(to), message),
        persistSurvivors: (context, survivors) =>
          history.noteSurvivors(Buffer.from(JSON.stringify({ context: toHex(context), survivors }))),
        commit: (state, work) => this.#commit(state, work),
        event: (event) => this.#event(event),
      },
    })
    this.#round = driver
    this.#opening = false
    const outcome = await driver.done
    this.#close(driver, outcome.outcome === 'aborted' ? outcome : undefined)
  }

  #close(driver: RoundDriver, aborted: { readonly code: ErrorCode; readonly message: string } | undefined): void {
    this.#round = undefined
    for (const id of driver.members) {
      const member = this.#members.get(id)
      if (member === undefined) continue
      if (aborted === undefined) member.rounds += 1
      else this.#send(member, { type: 'abort', round: driver.round, code: aborted.code, message: ascii(aborted.message) })
      if (member.peer === undefined) this.#members.forget(member)
    }
    if (aborted !== undefined) {
      this.#event({ type: 'aborted', round: driver.round, code: aborted.code, message: aborted.message })
      this.#deliverAborts(this.#members.connected)
      setTimeout(() => this.#consider(), PAUSE_AFTER_ABORT_MS).unref()
    } else if (this.#finished) {
      for (const member of this.#members.connected) this.#send(member, { type: 'finished', round: driver.round })
      this.#event({ type: 'finished', rounds: this.history.rounds })
    } else this.#consider()
  }

  async #commit(state: Extract<CoordinatorState, { phase: 'completed' }>, work: RoundWork): Promise<void> {
    const { history } = this
    const { facts, members, survivors, confirms } = state
    const aggregate = await work.finish(this.#env.curves, state)
    if (aggregate.counters === undefined) {
      this.#event({
        type: 'warning',
        message: `round ${facts.round}: the counters are garbage; some client did not follow the protocol`,
      })
    }
    const { weights } = this.#strategy.apply(history.weights, aggregate.pseudoGradient, this.#strategy.init(this.format.size))
    const evaluation = await this.#options.evaluator?.evaluate(history.config.model, weights)
    const entry = await history.commit(
      {
        round: facts.round,
        roster: facts.roster,
        members,
        survivors,
        transcripts: [...confirms].map(([id, { signature }]) => ({ id, signature })),
        weight: aggregate.weight,
        training: aggregate.counters,
        uploadBytes: work.uploadBytes,
        evaluation,
        strategyState: hash('fw1/strategy-state', this.#strategy.name),
      },
      weights,
    )
    for (const id of survivors) this.#send(this.#members.get(id), { type: 'result', context: facts.context, entry })
    this.#event({
      type: 'committed',
      round: facts.round,
      cohort: facts.ids.length,
      survivors: survivors.length,
      modelHash: toHex(history.head.modelAfter),
      uploadBytes: work.uploadBytes,
      ...(aggregate.counters === undefined ? {} : { loss: aggregate.counters.loss, accuracy: aggregate.counters.accuracy }),
      ...(evaluation === undefined ? {} : { evaluation }),
    })
  }

  #deliverAborts(to: readonly Member[]): void {
    for (const member of to)
      for (const message of this.#mailbox.messagesFor(member.id, this.#round?.context)) this.#send(member, message)
  }

  #refuse(member: Member, code: ErrorCode, message: string, fatal = false): void {
    this.#send(member, refusal(new FedweaveError(code, message), fatal))
  }

  #send(member: Member | undefined, message: ServerMessage): void {
    member?.peer?.send(encodeServerMessage(message))
  }

  #event(event: TaskEvent): void {
    this.events.emit('event', event)
  }
}
