import {
  type ClientId,
  type ErrorCode,
  encodeServerMessage,
  FedweaveError,
  largestRoster,
  type ServerMessage,
  type TaskConfig,
} from '@fedweave/aggregator'
import { AbortMailbox } from './abort-mailbox.ts'
import type { Member, Members } from './members.ts'
import { refusal } from './refusal.ts'
import type { CohortSum } from './round-set.ts'
import type { Stand } from './standing.ts'

type Result = Extract<ServerMessage, { type: 'result' }>
type Aborted = Parameters<AbortMailbox['post']>[1]

/** What a task says to its clients; who is not connected hears nothing. */
export class Outbox {
  readonly #members: Members
  readonly #mailbox = new AbortMailbox()
  readonly #results = new Map<ClientId, Result>()
  readonly #mostMacs: number
  readonly #isRunning: (context: Uint8Array) => boolean

  constructor(members: Members, config: TaskConfig, isRunning: (context: Uint8Array) => boolean) {
    this.#members = members
    this.#mostMacs = largestRoster(config)
    this.#isRunning = isRunning
  }

  send(member: Member | undefined, message: ServerMessage): void {
    member?.peer?.send(encodeServerMessage(message))
  }

  sendTo(ids: readonly ClientId[], message: ServerMessage): void {
    for (const id of ids) this.send(this.#members.get(id), message)
  }

  sendAll(message: ServerMessage): void {
    for (const member of this.#members.connected) this.send(member, message)
  }

  /** No round comes after that one. */
  finish(round: number, to: readonly Member[] = this.#members.connected): void {
    for (const member of to) this.send(member, { type: 'finished', round })
  }

  refuse(member: Member, code: ErrorCode, message: string): void {
    this.send(member, refusal(new FedweaveError(code, message), false))
  }

  /** No round comes before the operator resumes that task. */
  sayPaused(task: string, stand: Stand, to: readonly Member[] = this.#members.connected): void {
    if (stand.state !== 'paused') return
    const message = `task ${task} is paused: stay, or come back in ${stand.comeBackS} s`
    for (const member of to) this.refuse(member, 'FL_TASK_PAUSED', message)
  }

  /** Tells the survivors of a committed round, and keeps that for those whose connection is broken just now. */
  publish(sums: readonly CohortSum[], entry: Uint8Array): void {
    this.#results.clear()
    this.#mailbox.clear()
    for (const { state } of sums) {
      const result = { type: 'result', context: state.facts.context, entry } as const
      for (const id of state.survivors) this.#results.set(id, result)
      this.sendTo(state.survivors, result)
    }
  }

  /** What this client was to be told of the last round. */
  resultFor(id: ClientId): Result | undefined {
    return this.#results.get(id)
  }

  /** Takes the abort MACs that a client made for others, and hands them on, once the round that they are about is over. */
  postAborts(from: Member, message: Aborted): void {
    const { context, macs } = message
    if (macs.length > this.#mostMacs)
      return this.refuse(from, 'FL_PROTOCOL_VIOLATION', `${macs.length} abort MACs, where a roster has at most ${this.#mostMacs}`)
    if (!this.#mailbox.post(from.id, message) || this.#isRunning(context)) return
    for (const { peer, mac } of macs)
      this.send(this.#members.get(peer), { type: 'aborts', context, macs: [{ peer: from.id, mac }] })
  }

  deliverAborts(to: readonly Member[] = this.#members.connected): void {
    for (const member of to)
      for (const message of this.#mailbox.messagesFor(member.id, this.#isRunning)) this.send(member, message)
  }
}
