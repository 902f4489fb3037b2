import { EventEmitter } from 'node:events'
import {
  type ClientId,
  type ClientMessage,
  type CoordinatorEnv,
  clientIdOf,
  type ErrorCode,
  encodeServerMessage,
  equalBytes,
  FedweaveError,
  fedAvg,
  largestRoster,
  type Prg,
  type RosterEntry,
  type ServerMessage,
  toHex,
  UpdateFormat,
} from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { Evaluator } from '../evaluation/evaluator.ts'
import { AbortMailbox } from './abort-mailbox.ts'
import { commitRound } from './commit.ts'
import { committedEvents, type TaskEvent } from './events.ts'
import type { TaskHistory } from './history.ts'
import type { ServerKeys } from './identity.ts'
import { type Member, Members } from './members.ts'
import type { Peer } from './peer.ts'
import { Recruiting } from './recruiting.ts'
import { ascii, refusal } from './refusal.ts'
import { RoundDriver, type RoundHooks } from './round-driver.ts'
import { type CohortSum, RoundSet } from './round-set.ts'
import { selectCohort } from './selection.ts'

export interface TaskOptions {
  readonly keys: ServerKeys
  readonly history: TaskHistory
  readonly evaluator: Evaluator | undefined
  readonly prg: Prg
  readonly pool: ComputePool
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
  readonly #recruiting: Recruiting
  /** What the last round's survivors are told, for those whose connection was broken just then. */
  readonly #results = new Map<ClientId, Extract<ServerMessage, { type: 'result' }>>()
  #round: RoundSet | undefined
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
    this.#recruiting = new Recruiting({
      config: history.config,
      candidates: () => this.#candidates(),
      open: (candidates, cohorts) => void this.#open(candidates, cohorts),
      tooFew: (message) => this.#tooFew(message),
    })
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
      ...(round === undefined ? {} : { round: round.status }),
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
    const round = this.#round?.driverOf(member.id)
    const sameProcess = before !== undefined && equalBytes(before.entry.channelKey, entry.channelKey)
    const result = sameProcess && round === undefined ? this.#results.get(member.id) : undefined
    welcome(sameProcess ? (round?.context ?? result?.context) : undefined)
    if (result !== undefined) this.#send(member, result)
    this.#event({ type: 'clients', connected: this.#members.connected.length })
    if (round !== undefined && sameProcess) {
      void round.input({ type: 'back', from: member.id })
      round.replay(member.id)
    } else void round?.input({ type: 'gone', from: member.id }) // its round secrets are gone with the process that had them
    this.#deliverAborts([member])
    if (this.#finished) this.#send(member, { type: 'finished', round: this.history.head.round })
    else this.#recruiting.consider()
    return member
  }

  /** The connection is gone. A client in a running round is waited for a little, then no more. */
  leave(member: Member, peer: Peer): void {
    if (member.peer !== peer) return // it is already back on another connection
    member.peer = undefined
    this.#event({ type: 'clients', connected: this.#members.connected.length })
    setTimeout(() => {
      if (this.#members.get(member.id) !== member || member.peer !== undefined) return
      const round = this.#round?.driverOf(member.id)
      member.gone = true
      if (round === undefined) this.#members.forget(member)
      else void round.input({ type: 'gone', from: member.id })
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
        return this.#recruiting.consider()
      case 'aborted':
        if (this.#mailbox.post(from, message)) this.#deliverAborts(this.#members.connected)
        return
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

  /** The cohort in which an upload of this client for that round can still count; throws the typed reason when there is none. */
  checkUpload(member: Member, context: Uint8Array): RoundDriver {
    if (!this.#isRunning(context)) throw new FedweaveError('FL_ROUND_STALE', 'the upload is of a round that is over')
    const driver = this.#round?.driverOf(member.id)
    if (driver?.context === undefined || !equalBytes(driver.context, context)) {
      throw new FedweaveError('FL_NOT_IN_ROSTER', 'this client is not in that cohort of the running round')
    }
    return driver
  }

  upload(member: Member, context: Uint8Array, sealed: Uint8Array, socketBytes: number): Promise<void> {
    return this.checkUpload(member, context).upload(member, context, sealed, socketBytes)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#recruiting.stop()
    await this.#round?.stop('FL_ROUND_ABORTED', 'the server is shutting down')
    for (const { peer } of this.#members.connected) peer?.close()
    await this.#options.evaluator?.close()
    await this.history.close()
  }

  get #finished(): boolean {
    return this.history.rounds >= this.history.config.rounds
  }

  #input(member: Member, round: number | undefined, input: Parameters<RoundDriver['input']>[0]): void {
    if (this.#round === undefined) {
      return this.#refuse(member, 'FL_ROUND_STALE', `no round is running${round === undefined ? '' : `; round ${round} is over`}`)
    }
    const running = this.#round.driverOf(member.id)
    if (running === undefined) return this.#refuse(member, 'FL_NOT_IN_ROSTER', 'this client is not in the running round')
    void running.input(input).catch(() => undefined) // the driver has already given the round up
  }

  /** Who could take part now; nobody while a round runs or is being opened, or after the last. */
  #candidates(): readonly Member[] | undefined {
    if (this.#stopped || this.#finished || this.#round !== undefined || this.#opening) return undefined
    const base = toHex(this.history.head.modelAfter)
    return this.#members.connected.filter(({ spentOn }) => spentOn !== base)
  }

  #tooFew(message: string): void {
    this.#event({ type: 'warning', message })
    for (const member of this.#members.connected) this.#refuse(member, 'FL_TOO_FEW_CLIENTS', message, true)
  }

  async #open(candidates: readonly Member[], cohorts: number): Promise<void> {
    this.#opening = true
    const { history } = this
    const round = await history.nextAttempt()
    const invited = selectCohort(candidates, cohorts * largestRoster(history.config), history.config.initialModel, round)
    const { modelAfter: modelHash, hash: headHash } = history.head
    const base = { round, modelHash, head: history.signedHead, headHash }
    const set = new RoundSet({
      cohorts,
      open: (index, commit) =>
        new RoundDriver({
          env: this.#env,
          base,
          invited: invited.filter((_, place) => place % cohorts === index),
          format: this.format,
          prg: this.#options.prg,
          pool: this.#options.pool,
          hooks: { ...this.#hooks, commit },
        }),
      finish: (state, work) => work.finish(state),
      commit: (sums) => this.#commit(sums),
      onAbort: (driver, code, message) => this.#aborted(driver, code, message),
    })
    this.#round = set
    this.#opening = false
    const { outcome } = await set.done
    this.#round = undefined
    if (outcome === 'aborted') {
      this.#deliverAborts(this.#members.connected)
      setTimeout(() => this.#recruiting.consider(), PAUSE_AFTER_ABORT_MS).unref()
    } else if (this.#finished) {
      for (const member of this.#members.connected) this.#send(member, { type: 'finished', round })
      this.#event({ type: 'finished', rounds: history.rounds })
    } else this.#recruiting.consider()
  }

  readonly #hooks: Omit<RoundHooks, 'commit'> = {
    send: (to, message) => this.#send(this.#members.get(to), message),
    persistSurvivors: (context, survivors) =>
      this.history.noteSurvivors(Buffer.from(JSON.stringify({ context: toHex(context), survivors }))),
    event: (event) => this.#event(event),
  }

  #aborted(driver: RoundDriver, code: ErrorCode, message: string): void {
    for (const id of driver.members)
      this.#send(this.#members.get(id), { type: 'abort', round: driver.round, code, message: ascii(message) })
    this.#forgetGone(driver.members)
    this.#event({ type: 'aborted', round: driver.round, code, message })
    this.#deliverAborts(this.#members.connected)
  }

  async #commit(sums: readonly CohortSum[]): Promise<void> {
    const entry = await commitRound(this.history, this.#strategy, this.#options.evaluator, sums)
    this.#results.clear()
    for (const { state } of sums) {
      for (const id of state.survivors) {
        const result = { type: 'result', context: state.facts.context, entry } as const
        this.#results.set(id, result)
        this.#send(this.#members.get(id), result)
      }
      for (const id of state.facts.ids) {
        const member = this.#members.get(id)
        if (member !== undefined) member.rounds += 1
      }
      this.#forgetGone(state.facts.ids)
    }
    for (const event of committedEvents(this.history.head)) this.#event(event)
  }

  #forgetGone(ids: readonly ClientId[]): void {
    for (const id of ids) {
      const member = this.#members.get(id)
      if (member?.gone) this.#members.forget(member)
    }
  }

  #isRunning(context: Uint8Array): boolean {
    return this.#round?.isRunning(context) ?? false
  }

  #deliverAborts(to: readonly Member[]): void {
    for (const member of to)
      for (const message of this.#mailbox.messagesFor(member.id, (context) => this.#isRunning(context)))
        this.#send(member, message)
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
