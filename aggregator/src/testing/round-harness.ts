import { toHex } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import type { ClientId } from '../core/ids.ts'
import { sharedKey } from '../crypto/box.ts'
import { naclCurves } from '../crypto/curves.ts'
import { sha256 } from '../crypto/kdf.ts'
import type { Prg } from '../crypto/prg.ts'
import { noblePrg } from '../crypto/prg-noble.ts'
import { openSeal } from '../crypto/seal.ts'
import { clientDeadline, stepClient } from '../secagg/client.ts'
import type { ClientEffect, ClientInput } from '../secagg/client-state.ts'
import { sealKey } from '../secagg/context.ts'
import { coordinatorDeadline, openRound, stepCoordinator } from '../secagg/coordinator.ts'
import type { CoordinatorEffect, CoordinatorEnv, CoordinatorInput, CoordinatorState } from '../secagg/coordinator-state.ts'
import { isFault } from '../secagg/fault.ts'
import { type JournalBody, openEntry, signEntry } from '../secagg/journal.ts'
import type { Segments } from '../secagg/masks.ts'
import { rebuildMasks } from '../secagg/unmask.ts'
import { type Aggregate, UpdateFormat, type UpdateSum } from '../secagg/update.ts'
import { parseTaskConfig, type TaskConfig } from '../task/config.ts'
import { openConfig, signConfig } from '../task/signed-config.ts'
import type { ClientMessage, ServerMessage } from '../wire/messages.ts'
import { type HarnessClient, harnessClient } from './harness-client.ts'
import { type Envelope, isRoundMessage, type Network, type Upload } from './harness-network.ts'
import type { HarnessOptions } from './harness-options.ts'
import { genesisBody, harnessConfig, roundBody } from './harness-task.ts'
import { seededEntropy } from './seeded-entropy.ts'

/**
 * A whole task in one thread: n client machines and the coordinator's, a queue for a network, a clock that jumps. Every
 * run with the same options takes the same course. It serves tests, benches and attacks; training is a function of the
 * client's index.
 */
export class RoundHarness {
  readonly config: TaskConfig
  readonly signedConfig: Uint8Array
  readonly format: UpdateFormat
  readonly clients: readonly HarnessClient[]
  readonly server: CoordinatorEnv
  readonly operatorSeed: Uint8Array
  readonly operatorKey: Uint8Array
  readonly enrolmentSeed: Uint8Array
  readonly enrolmentKey: Uint8Array
  readonly journal: Uint8Array[] = []
  readonly serverEffects: CoordinatorEffect[] = []
  state: CoordinatorState | undefined
  sum: UpdateSum | undefined
  aggregate: Aggregate | undefined
  /** Streams that the last unmasking expanded, each for both segments. */
  masksRemoved = 0
  now = 1_800_000_000_000
  network: Network
  next: (underWay: readonly Envelope[]) => number

  readonly #options: HarnessOptions
  readonly #prg: Prg
  readonly #probe: NonNullable<HarnessOptions['probe']>
  readonly #queue: Envelope[] = []
  readonly #opened = new Map<ClientId, Segments<Uint32Array>>()
  #round = 0

  constructor(options: HarnessOptions) {
    const curves = options.curves ?? naclCurves
    const entropy = seededEntropy(options.seed)
    this.#options = options
    this.#prg = options.prg ?? noblePrg
    this.#probe = options.probe ?? ((_name, work) => work())
    this.network = options.network ?? ((envelope) => [envelope])
    this.next = options.next ?? (() => 0)
    this.operatorSeed = entropy.bytes(32)
    this.operatorKey = curves.ed25519Public(this.operatorSeed)
    this.enrolmentSeed = entropy.bytes(32)
    this.enrolmentKey = curves.ed25519Public(this.enrolmentSeed)
    const defaults = harnessConfig(options.clients, options.size ?? 16, toHex(this.enrolmentKey))
    this.config = parseTaskConfig(options.config?.(defaults) ?? defaults)
    this.signedConfig = signConfig(curves, this.operatorSeed, this.config)
    const { configHash } = openConfig(curves, this.operatorKey, this.signedConfig)
    this.format = new UpdateFormat(this.config)
    const coordinatorSecret = entropy.bytes(32)
    const coordinatorKey = curves.x25519Public(coordinatorSecret)
    const { graphOf } = options
    this.server = { curves, config: this.config, configHash, coordinatorSecret, coordinatorKey, graphOf }
    const { config, operatorKey, enrolmentKey } = this
    const shared = { curves, config, configHash, operatorKey, coordinatorKey, enrolmentKey, graphOf }
    this.clients = Array.from({ length: options.clients }, (_, index) =>
      harnessClient(index, shared, this.enrolmentSeed, entropy, seededEntropy(`${options.seed}/client/${index}`)),
    )
    this.commit(this.#genesis())
  }

  client(id: ClientId): HarnessClient {
    const found = this.clients.find((client) => client.id === id)
    if (found === undefined) throw new Error(`no client ${id}`)
    return found
  }

  /** Runs one round until nothing more happens. `invited`: absent, every client that lives. */
  runRound(invited: readonly HarnessClient[] = this.clients.filter(({ alive }) => alive)): CoordinatorState {
    this.#round += 1
    this.#opened.clear()
    this.sum = this.format.sum(this.#prg)
    this.aggregate = undefined
    const head = this.journal.at(-1) as Uint8Array
    const entry = openEntry(this.server.curves, this.operatorKey, head)
    const base = { round: this.#round, modelHash: entry.modelAfter, head, headHash: entry.hash }
    const ids = invited.map(({ id }) => id)
    const opened = openRound(this.server, base, ids, this.now)
    this.state = opened.state
    this.#serverEffects(opened.effects)
    this.settle()
    return this.state
  }

  /** Delivers messages, and lets time pass where all wait for it, until the round is over and nothing is under way. */
  settle(): void {
    for (let turns = 0; turns < 100_000; turns++) {
      const turn = this.#queue.length === 0 ? -1 : this.next(this.#queue)
      const deadlines = [
        this.state && coordinatorDeadline(this.state),
        ...this.clients.filter(({ alive }) => alive).map(({ state }) => clientDeadline(state)),
      ]
      const deadline = Math.min(...deadlines.filter((d) => d !== undefined))
      if (this.#queue.length > 0 && (turn >= 0 || deadline === Number.POSITIVE_INFINITY)) {
        const [envelope] = this.#queue.splice(Math.max(0, turn), 1)
        this.#deliver(envelope as Envelope)
        continue
      }
      if (deadline === Number.POSITIVE_INFINITY) return
      this.now = Math.max(this.now, deadline)
      this.toServer({ type: 'tick' })
      for (const client of this.clients) if (client.alive) this.toClient(client, { type: 'tick' })
    }
    throw new Error('the round does not settle')
  }

  /** The process starts again: the secrets of its round are lost, its ledger is not. */
  restart(client: HarnessClient): void {
    client.alive = true
    client.state = { phase: 'idle' }
  }

  toServer(input: CoordinatorInput): void {
    if (this.state === undefined) return
    const step = stepCoordinator(this.server, this.state, input, this.now)
    this.state = step.state
    this.#serverEffects(step.effects)
  }

  toClient(client: HarnessClient, input: ClientInput): void {
    const work = () => stepClient(client.env, client.state, input, this.now)
    const step = this.#probe('client:setup', work, client.index)
    client.state = step.state
    for (const effect of step.effects) this.#clientEffect(client, effect)
  }

  post(envelope: Envelope): void {
    this.#queue.push(...this.network(envelope))
  }

  /** Puts a message under way that `network` does not see: late, again, or forged. */
  inject(envelope: Envelope): void {
    this.#queue.push(envelope)
  }

  /** Appends a signed entry to the journal and gives it back. */
  commit(body: JournalBody): Uint8Array {
    const signed = signEntry(this.server.curves, this.operatorSeed, body)
    this.journal.push(signed)
    return signed
  }

  #deliver(envelope: Envelope): void {
    if (envelope.to === 'client') this.#deliverToClient(this.client(envelope.client), envelope.message)
    else this.#deliverToServer(envelope.client, envelope.message)
  }

  #deliverToClient(client: HarnessClient, message: ServerMessage): void {
    if (!client.alive) return
    if (message.type === 'start') {
      this.toClient(client, { ...message, ledger: { highestRound: client.highestRound, head: client.head } })
    } else if (message.type === 'invite') this.#invite(client, message)
    else if (isRoundMessage(message)) this.toClient(client, message)
  }

  /** As a client's host takes it: a round that the server left behind is over, and a spent base is declined. */
  #invite(client: HarnessClient, invite: Extract<ServerMessage, { type: 'invite' }>): void {
    if ('facts' in client.state) {
      const { round } = client.state.facts
      if (invite.round <= round) return
      this.toClient(client, { type: 'abort', round, code: 'FL_ROUND_ABORTED', message: 'the server went on' })
    }
    if (!client.spent.has(toHex(invite.modelHash))) this.toClient(client, invite)
    else this.#send(client.id, { type: 'decline', round: invite.round, code: 'FL_BASE_SPENT' })
  }

  #deliverToServer(from: ClientId, message: ClientMessage | Upload): void {
    switch (message.type) {
      case 'ready': {
        const entry = { ...this.client(from).entry, nonce: message.nonce }
        this.toServer({ type: 'ready', from, round: message.round, entry })
        break
      }
      case 'decline':
        this.toServer({ type: 'declined', from, round: message.round })
        break
      case 'upload':
        this.#receiveUpload(from, message.context, message.sealed)
        break
      case 'aborted':
        for (const { peer, mac } of message.macs) {
          this.#tell(peer, { type: 'aborts', context: message.context, macs: [{ peer: from, mac }] })
        }
        break
      case 'setup':
      case 'ack':
      case 'confirm':
      case 'unmask':
        this.toServer({ type: 'message', from, message })
        break
    }
  }

  #send(client: ClientId, message: ClientMessage | Upload): void {
    this.post({ to: 'server', client, message })
  }

  #tell(client: ClientId, message: ServerMessage): void {
    this.post({ to: 'client', client, message })
  }

  #receiveUpload(from: ClientId, context: Uint8Array, sealed: Uint8Array): void {
    const { curves, coordinatorSecret } = this.server
    const shared = sharedKey(curves, coordinatorSecret, this.client(from).entry.channelKey) as Uint8Array
    const key = sealKey(shared, context, 'upload', from)
    const plain = openSeal(key, sealed, this.format.plainBytes, this.#options.secretbox)
    const parsed = plain && this.format.parse(plain)
    if (parsed === undefined || isFault(parsed)) return // a real server answers with the fault's code
    this.#opened.set(from, parsed)
    this.toServer({ type: 'uploaded', from, context, digest: toHex(sha256(sealed)) })
  }

  #serverEffects(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      this.serverEffects.push(effect)
      if (effect.type === 'send') this.#tell(effect.to, effect.message)
      else if (effect.type === 'accumulate') {
        this.sum?.add(this.#opened.get(effect.from) as Segments<Uint32Array>)
        this.#opened.delete(effect.from)
      } else if (effect.type === 'unmask') {
        if (this.#options.leaveMasked !== true) this.#finish()
      } else if (effect.type === 'aborted') {
        const { code, message } = effect
        for (const { id } of this.clients) this.#tell(id, { type: 'abort', round: this.#round, code, message })
      }
    }
  }

  #finish(): void {
    const { state, sum } = this
    if (state?.phase !== 'completed' || sum === undefined) return
    try {
      this.#probe('server:unmask', () => {
        const masks = rebuildMasks(this.server.curves, state)
        this.masksRemoved = masks.length
        sum.unmask(masks)
      })
      this.aggregate = sum.decode(state.survivors.length, state.facts.context)
    } catch (error) {
      if (!(error instanceof FedweaveError)) throw error
      return this.toServer({ type: 'fail', code: error.code, message: error.message })
    }
    const { facts, survivors } = state
    const body = roundBody(state, this.aggregate, this.journal.length)
    const entry = this.commit({ ...this.#genesis(), ...body, uploadBytes: this.format.sealedBytes })
    for (const id of survivors) this.#tell(id, { type: 'result', context: facts.context, entry })
  }

  #clientEffect(client: HarnessClient, effect: ClientEffect): void {
    client.effects.push(effect)
    switch (effect.type) {
      case 'send':
        this.#send(client.id, effect.message)
        break
      case 'remember':
        client.highestRound = effect.round
        client.head = effect.head
        break
      case 'train':
        this.toClient(client, { type: 'trained' })
        break
      case 'spend':
        client.spent.add(toHex(effect.modelHash))
        break
      case 'upload': {
        const update = this.#options.update(client.index)
        const mask = () => {
          const plain = this.format.quantise(update, effect.context, this.#prg, client.env.entropy)
          this.#options.onQuantised?.(client.index, plain)
          return this.format.maskAndSeal(plain, effect.masks, effect.sealKey, this.#options.secretbox)
        }
        const sealed = this.#probe('client:mask', mask, client.index)
        this.#send(client.id, { type: 'upload', context: effect.context, sealed })
        break
      }
      case 'reopen':
        client.spent.delete(toHex(effect.modelHash))
        break
      case 'committed':
        client.head = effect.head
        break
    }
  }

  #genesis(): JournalBody {
    const { configHash, coordinatorKey } = this.server
    return genesisBody(this.config.taskId, configHash, coordinatorKey, this.now)
  }
}
