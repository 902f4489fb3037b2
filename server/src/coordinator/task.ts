import { EventEmitter } from 'node:events'
import {
  type ClientMessage,
  type CoordinatorEnv,
  clientIdOf,
  type ErrorCode,
  equalBytes,
  FedweaveError,
  type Prg,
  type RosterEntry,
  toHex,
  UpdateFormat,
} from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { Evaluator } from '../evaluation/evaluator.ts'
import type { RoundSlots } from '../limits/round-slots.ts'
import { commitRound } from './commit.ts'
import { committedEvents, type TaskEvent } from './events.ts'
import type { TaskHistory } from './history.ts'
import type { ServerKeys } from './identity.ts'
import { type RoundMessage, roundInput } from './inputs.ts'
import { type Member, Members } from './members.ts'
import { type OpenRoundOptions, openRound } from './open-round.ts'
import { Outbox } from './outbox.ts'
import { type Outlook, outlookOf } from './outlook.ts'
import type { Peer } from './peer.ts'
import { Recruiting } from './recruiting.ts'
import { ascii, refusal } from './refusal.ts'
import type { RoundDriver } from './round-driver.ts'
import type { CohortSum, RoundSet } from './round-set.ts'
import { settledWithin } from './settled-within.ts'
import type { Stand, Standing } from './standing.ts'
import { taskStatus } from './status.ts'

export interface TaskOptions {
  readonly keys: ServerKeys
  readonly history: TaskHistory
  readonly standing: Standing
  readonly evaluator: Evaluator | undefined
  readonly prg: Prg
  readonly pool: ComputePool
  readonly slots: RoundSlots
  /** How long a client whose connection broke is waited for. */
  readonly reconnectMs: number
}

/** After an aborted round: clients can complete their abort certificates meanwhile. */
const PAUSE_MS = 1000

/** One standing training job: its clients, its rounds, one after the other, and what they committed. */
export class Task {
  readonly id: string
  readonly history: TaskHistory
  readonly format: UpdateFormat
  /** `closed`: nothing comes any more. */
  readonly events = new EventEmitter<{ event: [TaskEvent]; closed: [] }>()
  readonly #options: TaskOptions
  readonly #members = new Members()
  readonly #outbox: Outbox
  readonly #env: CoordinatorEnv
  readonly #recruiting: Recruiting
  #round: RoundSet | undefined
  #opening = false
  #closing = false

  constructor(options: TaskOptions) {
    const { keys, history } = options
    this.#options = options
    this.history = history
    this.id = history.config.taskId
    this.format = new UpdateFormat(history.config)
    const isRunning = (context: Uint8Array) => this.#round?.isRunning(context) ?? false
    this.#outbox = new Outbox(this.#members, history.config, isRunning)
    const { curves, coordinatorSecret, coordinatorKey } = keys
    this.#env = { curves, config: history.config, configHash: history.configHash, coordinatorSecret, coordinatorKey }
    this.#recruiting = new Recruiting({
      config: history.config,
      candidates: () => this.#candidates(),
      open: (candidates, cohorts) => void this.#open(candidates, cohorts),
      tooFew: (message) => {
        this.#event({ type: 'warning', message })
        this.#outbox.sendAll(refusal(new FedweaveError('FL_TOO_FEW_CLIENTS', message), true))
      },
    })
  }

  /** Where the task stands, for its API. */
  get status() {
    const { standing } = this.#options
    return taskStatus(this.history, this.#outlook, standing.now, this.#round?.status, this.#members.connections)
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
    const known = round?.channelKeyOf(member.id) ?? before?.entry.channelKey
    const sameProcess = known !== undefined && equalBytes(known, entry.channelKey)
    const result = sameProcess && round === undefined ? this.#outbox.resultFor(member.id) : undefined
    welcome(sameProcess ? (round?.context ?? result?.context) : undefined)
    if (result !== undefined) this.#outbox.send(member, result)
    this.#event({ type: 'clients', connected: this.#members.connections })
    if (round !== undefined && sameProcess) {
      void round.input({ type: 'back', from: member.id })
      round.replay(member.id)
    } else void round?.input({ type: 'gone', from: member.id }) // its round secrets are gone with the process that had them
    this.#outbox.deliverAborts([member])
    if (this.#over && round === undefined) this.#outbox.finish(this.history.head.round, [member])
    else {
      this.#outbox.sayPaused(this.id, this.#options.standing.now, [member])
      this.#recruiting.consider()
    }
    return member
  }

  /** The connection is gone. A client in a running round is waited for a little, then no more. */
  leave(member: Member, peer: Peer): void {
    if (!this.#members.left(member, peer)) return
    this.#event({ type: 'clients', connected: this.#members.connections })
    setTimeout(() => {
      if (!this.#members.isAway(member)) return
      const round = this.#round?.driverOf(member.id)
      member.gone = true
      if (round === undefined) this.#members.forget(member)
      else void round.input({ type: 'gone', from: member.id })
    }, this.#options.reconnectMs).unref()
  }

  /** A parsed message of a joined client. */
  receive(member: Member, message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        return this.#outbox.refuse(member, 'FL_WRONG_PHASE', 'this connection has already said hello')
      case 'available':
        member.spentOn = undefined
        member.newData = true
        return this.#recruiting.consider()
      case 'aborted':
        return this.#outbox.postAborts(member, message)
      case 'decline':
        if (message.code === 'FL_BASE_SPENT') member.spentOn = toHex(this.history.head.modelAfter)
        return this.#input(member, message)
      case 'ready':
      case 'setup':
      case 'ack':
      case 'confirm':
      case 'unmask':
        return this.#input(member, message)
    }
  }

  member(session: string): Member | undefined {
    return this.#members.bySession(session)
  }

  /** The cohort in which an upload of this client for that round can still count; throws the typed reason when there is none. */
  checkUpload(member: Member, context: Uint8Array): RoundDriver {
    const driver = this.#round?.driverOfUpload(member.id, context)
    if (driver === undefined) throw new FedweaveError('FL_ROUND_STALE', 'the upload is of a round that is over')
    return driver
  }

  upload(member: Member, context: Uint8Array, sealed: Uint8Array, socketBytes: number): Promise<void> {
    return this.checkUpload(member, context).upload(member, context, sealed, socketBytes)
  }

  /** Opens no round until it is resumed; a running one goes on. Clients hear when to come back. Throws `FL_TASK_STATE`. */
  async pause(comeBackS: number): Promise<void> {
    await this.#become({ state: 'paused', comeBackS })
    this.#recruiting.stop()
    this.#outbox.sayPaused(this.id, this.#options.standing.now)
  }

  /** Throws `FL_TASK_STATE`. */
  async resume(): Promise<void> {
    await this.#become({ state: 'open' })
    this.#recruiting.consider()
  }

  /** Ends the task for good: a round whose clients do not yet confirm is given up. Clients are told that it is finished. */
  async stop(): Promise<void> {
    if (this.#over) return
    await this.#become({ state: 'stopped' })
    this.#recruiting.stop()
    if (this.#round === undefined) this.#outbox.finish(this.history.head.round)
    else if (!this.#round.releasing) await this.#round.stop('FL_ROUND_ABORTED', 'the operator stopped the task')
  }

  /** Opens no round any more; one whose clients confirm or unmask may finish, for at most `ms`. */
  async drain(ms: number): Promise<void> {
    this.#closing = true
    this.#recruiting.stop()
    if (this.#round?.releasing === true) await settledWithin(this.#round.done, ms)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#recruiting.stop()
    await this.#round?.stop('FL_ROUND_ABORTED', 'the server is shutting down')
    for (const { peer } of this.#members.connected) peer?.close()
    await this.#options.evaluator?.close()
    await this.history.close()
    this.events.emit('closed')
  }

  get #outlook(): Outlook {
    return outlookOf(this.history.config, this.history.rounds, this.#members)
  }

  /** No round comes any more: the task has all of them, or was stopped. */
  get #over(): boolean {
    return this.#outlook === 'finished' || this.#options.standing.now.state === 'stopped'
  }

  get #mayOpen(): boolean {
    return !this.#closing && this.#outlook === 'rounds' && this.#options.standing.now.state === 'open'
  }

  async #become(stand: Stand): Promise<void> {
    if (this.#over) throw new FedweaveError('FL_TASK_STATE', `task ${this.id} is ${this.status.state}, which is for good`)
    await this.#options.standing.become(stand)
    this.#event({ type: 'state', state: stand.state })
  }

  #input(member: Member, message: RoundMessage): void {
    if (this.#round === undefined) {
      const over = 'round' in message ? `; round ${message.round} is over` : ''
      return this.#outbox.refuse(member, 'FL_ROUND_STALE', `no round is running${over}`)
    }
    const running = this.#round.driverOf(member.id)
    if (running === undefined) return this.#outbox.refuse(member, 'FL_NOT_IN_ROSTER', 'this client is not in the running round')
    void running.input(roundInput(member, message)).catch(() => undefined) // the driver has already given the round up
  }

  /** Who could take part now; nobody while a round runs or is being opened, or after the last. */
  #candidates(): readonly Member[] | undefined {
    if (!this.#mayOpen || this.#round !== undefined || this.#opening) return undefined
    if (!this.#options.slots.free(() => this.#recruiting.consider())) return undefined
    const base = toHex(this.history.head.modelAfter)
    return this.#members.connected.filter(({ spentOn }) => spentOn !== base)
  }

  async #open(candidates: readonly Member[], cohorts: number): Promise<void> {
    this.#opening = true
    this.#options.slots.take()
    const round = await this.history
      .nextAttempt()
      .catch((error: Error) => this.#event({ type: 'warning', message: error.message }))
    this.#opening = false
    if (round !== undefined && this.#mayOpen) return this.#run({ round, candidates, cohorts })
    this.#options.slots.release()
    this.#considerLater() // after a disk that was full, say
  }

  #considerLater(): void {
    setTimeout(() => this.#recruiting.consider(), PAUSE_MS).unref()
  }

  /** Goes on with the round, if there is one, whose clients an earlier run of the server has asked for shares. */
  async recover(): Promise<void> {
    const interrupted = await this.history.interruptedRound()
    if (interrupted === undefined) return
    this.#options.slots.take()
    void this.#run(interrupted)
  }

  async #run(begin: OpenRoundOptions['begin']): Promise<void> {
    const { history, format } = this
    const { prg, pool } = this.#options
    const set = openRound({
      ...{ begin, env: this.#env, history, format, prg, pool, hooks: this.#hooks },
      commit: (sums) => this.#commit(sums),
      onAbort: (driver, code, message) => this.#aborted(driver, code, message),
    })
    this.#round = set
    const { outcome } = await set.done
    await history.forgetRound().catch(() => undefined)
    this.#round = undefined
    this.#options.slots.release()
    this.#event({ type: 'round-ended', round: begin.round, outcome })
    if (outcome === 'aborted') this.#outbox.deliverAborts()
    if (this.#over) {
      this.#outbox.finish(this.history.head.round)
      this.#event({ type: 'finished', rounds: history.rounds })
    } else if (outcome === 'committed') this.#recruiting.consider()
    else this.#considerLater()
  }

  readonly #hooks: OpenRoundOptions['hooks'] = {
    send: (to, message) => this.#outbox.sendTo([to], message),
    event: (event) => this.#event(event),
  }

  #aborted(driver: RoundDriver, code: ErrorCode, reason: string): void {
    const message = ascii(reason)
    this.#outbox.sendTo(driver.members, { type: 'abort', round: driver.round, code, message })
    this.#members.forgetGone(driver.members)
    this.#event({ type: 'aborted', round: driver.round, code, message: reason })
    this.#outbox.deliverAborts()
  }

  async #commit(sums: readonly CohortSum[]): Promise<void> {
    const warn = (message: string) => this.#event({ type: 'warning', message })
    const entry = await commitRound(this.history, this.#options.evaluator, sums, warn)
    this.#outbox.publish(sums, entry)
    for (const { state } of sums) this.#members.tookPart(state.facts.ids, state.survivors)
    for (const event of committedEvents(this.history.head, this.history.config.model)) this.#event(event)
  }

  #event(event: TaskEvent): undefined {
    this.events.emit('event', event)
  }
}
