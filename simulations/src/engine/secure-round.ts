import {
  type Aggregate,
  type ClientEffect,
  type ClientId,
  type ClientInput,
  type ClientMessage,
  type CoordinatorEffect,
  type CoordinatorEnv,
  type CoordinatorInput,
  type CoordinatorState,
  FedweaveError,
  openRound,
  PRG_KEY_BYTES,
  type Prg,
  partsOfUnmasking,
  planUnmasking,
  type RoundBase,
  type Segments,
  type ServerMessage,
  sealKey,
  sharedKey,
  stepClient,
  stepCoordinator,
  type UnmaskingPlan,
  UpdateFormat,
} from '@fedweave/aggregator'
import { release } from '@fedweave/aggregator/node'
import type { Machine } from './machine.ts'

export type Completed = Extract<CoordinatorState, { phase: 'completed' }>
export type UploadEffect = Extract<ClientEffect, { type: 'upload' }>

const TAKEN_AS_IT_IS = ['invite', 'relay', 'acks', 'survivors', 'confirms'] as const

/**
 * One round of the live protocol in one thread: the coordinator's machine, those of the cohort, and a queue for a network.
 * The work on whole updates happens elsewhere: `trained` asks for an update, `arrived` says that the coordinator opened and
 * added it, in any order, for sums in the ring do not depend on it.
 */
export class SecureRound {
  readonly format: UpdateFormat
  state: CoordinatorState
  readonly #env: CoordinatorEnv
  readonly #machines: ReadonlyMap<ClientId, Machine>
  readonly #byClient: ReadonlyMap<number, Machine>
  readonly #base: RoundBase
  readonly #now: number
  readonly #prg: Prg
  #queue: (() => void)[] = []
  readonly #lost = new Set<ClientId>()
  readonly #uploads = new Map<ClientId, UploadEffect>()

  constructor(env: CoordinatorEnv, base: RoundBase, machines: readonly Machine[], now: number, prg: Prg) {
    this.#env = env
    this.#base = base
    this.#machines = new Map(machines.map((machine) => [machine.id, machine]))
    this.#byClient = new Map(machines.map((machine) => [machine.client, machine]))
    this.#now = now
    this.#prg = prg
    this.format = new UpdateFormat(env.config)
    const opened = openRound(env, base, [...this.#machines.keys()], now)
    this.state = opened.state
    this.#carryOut(opened.effects)
  }

  /** Runs up to the point where only training is missing, then `lost` vanish. Throws the round's error if it cannot go on. */
  setUp(lost: readonly number[]): void {
    this.#settle()
    const { state } = this
    if (state.phase === 'collecting') {
      const staying = this.#machines.size - lost.length
      const { minimumSurvivors } = state.facts.graph
      if (staying < minimumSurvivors) {
        const message = `${staying} of ${this.#machines.size} clients stay, where ${minimumSurvivors} are needed`
        this.#toServer({ type: 'fail', code: 'FL_TOO_FEW_SURVIVORS', message })
      } else for (const client of lost) this.#lose(this.#machine(client).id)
    }
    this.#settle()
    this.#throwIfAborted()
  }

  /**
   * Tells a client's machine that training is done; it answers with the masks for its update. `openKey`: the coordinator's for the
   * seal, from its own end of the channel.
   */
  trained(client: number): UploadEffect & { readonly roundingKey: Uint8Array; readonly openKey: Uint8Array } {
    const machine = this.#machine(client)
    this.#toClient(machine, { type: 'trained' })
    this.#settle()
    const upload = this.#uploads.get(machine.id)
    if (upload === undefined) throw new Error(`client ${client} is in ${machine.state.phase} and uploads nothing`)
    this.#uploads.delete(machine.id)
    const { curves, coordinatorSecret } = this.#env
    const shared = sharedKey(curves, coordinatorSecret, machine.entry.channelKey) as Uint8Array
    const openKey = sealKey(shared, upload.context, 'upload', machine.id)
    return { ...upload, roundingKey: machine.env.entropy.bytes(PRG_KEY_BYTES), openKey }
  }

  /** The update of a client was opened and added. It has no digest: that is for whoever sends the same one again, as nobody does here. */
  arrived(client: number, context: Uint8Array): void {
    this.#toServer({ type: 'uploaded', from: this.#machine(client).id, context, digest: '' })
    this.#settle()
  }

  /** What it takes to take the masks off, in `parts` of like size. Throws the round's error if it was aborted. */
  unmasking(parts: number): readonly UnmaskingPlan[] {
    const state = this.#completed()
    const members = partsOfUnmasking(state, parts, Number.MAX_SAFE_INTEGER)
    return Array.from({ length: parts }, (_, i) => planUnmasking(state, members[i] ?? []))
  }

  /** `parts`: the parts of the sum, without masks; their memory is taken. */
  finish(parts: readonly Segments<Uint32Array>[]): { readonly state: Completed; readonly aggregate: Aggregate } {
    const state = this.#completed()
    const sum = this.format.sum(this.#prg)
    for (const part of parts) {
      sum.add(part)
      release(part.update)
    }
    return { state, aggregate: sum.decode(state.survivors.length, state.facts.context) }
  }

  #completed(): Completed {
    this.#settle()
    this.#throwIfAborted()
    const { state } = this
    if (state.phase !== 'completed') throw new Error(`the round stays in ${state.phase}`)
    return state
  }

  #lose(id: ClientId): void {
    this.#lost.add(id)
    this.#toServer({ type: 'gone', from: id })
  }

  #machine(client: number): Machine {
    const found = this.#byClient.get(client)
    if (found === undefined) throw new Error(`client ${client} is not in the cohort`)
    return found
  }

  #throwIfAborted(): void {
    if (this.state.phase === 'aborted') throw new FedweaveError(this.state.code, this.state.message)
  }

  #settle(): void {
    while (this.#queue.length > 0) {
      const messages = this.#queue
      this.#queue = []
      for (const deliver of messages) deliver()
    }
  }

  #toServer(input: CoordinatorInput): void {
    const step = stepCoordinator(this.#env, this.state, input, this.#now)
    this.state = step.state
    this.#carryOut(step.effects)
  }

  #toClient(machine: Machine, input: ClientInput): void {
    const step = stepClient(machine.env, machine.state, input, this.#now)
    machine.state = step.state
    for (const effect of step.effects) {
      if (effect.type === 'send') this.#queue.push(() => this.#receive(machine, effect.message))
      else if (effect.type === 'upload') this.#uploads.set(machine.id, effect)
      else if (effect.type === 'aborted') throw new FedweaveError(effect.code, effect.message) // all are honest here
    }
  }

  #receive(machine: Machine, message: ClientMessage): void {
    const from = machine.id
    switch (message.type) {
      case 'ready':
        return this.#toServer({
          type: 'ready',
          from,
          round: message.round,
          entry: { ...machine.entry, nonce: message.nonce },
        })
      case 'setup':
      case 'ack':
      case 'confirm':
      case 'unmask':
        return this.#toServer({ type: 'message', from, message })
    }
  }

  #carryOut(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'send') continue
      const { to, message } = effect
      this.#queue.push(() => this.#deliver(this.#machines.get(to) as Machine, message))
    }
  }

  #deliver(machine: Machine, message: ServerMessage): void {
    if (this.#lost.has(machine.id)) return
    if (message.type === 'start') {
      // A virtual client follows the public journal: it has seen every entry up to the one that this round builds on.
      this.#toClient(machine, { ...message, ledger: { highestRound: this.#base.round - 1, head: undefined } })
    } else if (isTaken(message)) this.#toClient(machine, message)
  }
}

function isTaken(message: ServerMessage): message is Extract<ServerMessage, { type: (typeof TAKEN_AS_IT_IS)[number] }> {
  return (TAKEN_AS_IT_IS as readonly string[]).includes(message.type)
}
