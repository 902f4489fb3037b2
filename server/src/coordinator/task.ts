import { EventEmitter } from 'node:events'
import {
  type ClientMessage,
  clientIdOf,
  equalBytes,
  FedweaveError,
  type RosterEntry,
  toHex,
  type UpdateFormat,
} from '@fedweave/aggregator'
import type { TaskEvent } from './events.ts'
import type { TaskHistory } from './history.ts'
import type { ServerKeys } from './identity.ts'
import { type RoundMessage, roundInput } from './inputs.ts'
import { type Member, Members } from './members.ts'
import { Outbox } from './outbox.ts'
import { type Outlook, outlookOf } from './outlook.ts'
import type { Peer } from './peer.ts'
import type { RoundDriver } from './round-driver.ts'
import type { RoundSet } from './round-set.ts'
import { Rounds, type RoundsOptions } from './rounds.ts'
import { settledWithin } from './settled-within.ts'
import type { Stand, Standing } from './standing.ts'
import { taskStatus } from './status.ts'

export interface TaskOptions extends Pick<RoundsOptions, 'history' | 'evaluator' | 'prg' | 'pool' | 'slots'> {
  readonly keys: ServerKeys
  readonly standing: Standing
  /** How long a client whose connection broke is waited for. */
  readonly reconnectMs: number
}

/** One standing training job: its clients, its rounds, one after the other, and what they committed. */
export class Task {
  readonly id: string
  readonly history: TaskHistory
  /** `closed`: nothing comes any more. */
  readonly events = new EventEmitter<{ event: [TaskEvent]; closed: [] }>()
  readonly #options: TaskOptions
  readonly #members = new Members()
  readonly #outbox: Outbox
  readonly #rounds: Rounds
  #closing = false

  constructor(options: TaskOptions) {
    const { keys, history, evaluator, prg, pool, slots } = options
    const { config, configHash } = history
    this.#options = options
    this.history = history
    this.id = config.taskId
    this.#outbox = new Outbox(this.#members, config, (context) => this.#round?.isRunning(context) ?? false)
    const { curves, coordinatorSecret, coordinatorKey } = keys
    this.#rounds = new Rounds({
      ...{ history, evaluator, prg, pool, slots, members: this.#members, outbox: this.#outbox },
      env: { curves, config, configHash, coordinatorSecret, coordinatorKey },
      wanted: () => !this.#closing && this.#outlook === 'rounds' && options.standing.now.state === 'open',
      over: () => this.#over,
      event: (event) => this.#event(event),
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
      this.#rounds.consider()
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
        return this.#rounds.consider()
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

  get format(): UpdateFormat {
    return this.#rounds.format
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
    this.#rounds.rest()
    this.#outbox.sayPaused(this.id, this.#options.standing.now)
  }

  /** Throws `FL_TASK_STATE`. */
  async resume(): Promise<void> {
    await this.#become({ state: 'open' })
    this.#rounds.consider()
  }

  /** Ends the task for good: a round whose clients do not yet confirm is given up. Clients are told that it is finished. */
  async stop(): Promise<void> {
    if (this.#over) return
    await this.#become({ state: 'stopped' })
    this.#rounds.rest()
    if (this.#round === undefined) this.#outbox.finish(this.history.head.round)
    else if (!this.#round.releasing) await this.#round.stop('FL_ROUND_ABORTED', 'the operator stopped the task')
  }

  /** Opens no round any more; one whose clients confirm or unmask may finish, for at most `ms`. */
  async drain(ms: number): Promise<void> {
    this.#closing = true
    this.#rounds.rest()
    if (this.#round?.releasing === true) await settledWithin(this.#round.done, ms)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#rounds.rest()
    await this.#round?.stop('FL_ROUND_ABORTED', 'the server is shutting down')
    for (const { peer } of this.#members.connected) peer?.close()
    await this.#options.evaluator?.close()
    await this.history.close()
    this.events.emit('closed')
  }

  /** Goes on with a round that an earlier run of the server did not finish. */
  recover(): Promise<void> {
    return this.#rounds.recover()
  }

  get #round(): RoundSet | undefined {
    return this.#rounds.running
  }

  get #outlook(): Outlook {
    return outlookOf(this.history.config, this.history.rounds, this.#members)
  }

  /** No round comes any more: the task has all of them, or was stopped. */
  get #over(): boolean {
    return this.#outlook === 'finished' || this.#options.standing.now.state === 'stopped'
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

  #event(event: TaskEvent): undefined {
    this.events.emit('event', event)
  }
}
