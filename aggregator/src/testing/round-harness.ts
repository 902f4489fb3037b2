import { toHex } from '../core/bytes.ts'
import type { Entropy } from '../core/entropy.ts'
import { type ClientId, clientIdOf, taskId } from '../core/ids.ts'
import { sharedKey } from '../crypto/box.ts'
import { type Curves, naclCurves } from '../crypto/curves.ts'
import { hash, sha256 } from '../crypto/kdf.ts'
import type { Prg } from '../crypto/prg.ts'
import { noblePrg } from '../crypto/prg-noble.ts'
import { openSeal } from '../crypto/seal.ts'
import { ENTRY_VERSION, type JournalBody, openEntry, signEntry } from '../round/journal.ts'
import { clientDeadline, stepClient } from '../secagg/client.ts'
import type { ClientEffect, ClientEnv, ClientInput, ClientState, LedgerHead } from '../secagg/client-state.ts'
import { sealKey } from '../secagg/context.ts'
import { coordinatorDeadline, openRound, stepCoordinator } from '../secagg/coordinator.ts'
import type { CoordinatorEffect, CoordinatorEnv, CoordinatorInput, CoordinatorState } from '../secagg/coordinator-state.ts'
import { isFault } from '../secagg/fault.ts'
import { certify, channelStatement } from '../secagg/identity.ts'
import type { Segments } from '../secagg/masks.ts'
import { rebuildMasks } from '../secagg/unmask.ts'
import { type Aggregate, type LocalUpdate, UpdateFormat, type UpdateSum } from '../secagg/update.ts'
import { parseTaskConfig, type TaskConfig } from '../task/config.ts'
import { openConfig, signConfig } from '../task/signed-config.ts'
import type { ClientMessage, ServerMessage } from '../wire/messages.ts'
import type { RosterEntry } from '../wire/records.ts'
import { seededEntropy } from './seeded-entropy.ts'

/** The sealed update, which travels on the bulk plane. */
export interface Upload {
  readonly type: 'upload'
  readonly context: Uint8Array
  readonly sealed: Uint8Array
}

/** A message under way between one client and the server. */
export type Envelope =
  | { readonly to: 'server'; readonly client: ClientId; readonly message: ClientMessage | Upload }
  | { readonly to: 'client'; readonly client: ClientId; readonly message: ServerMessage }

export type Probe = 'client:setup' | 'client:mask' | 'server:unmask'

export interface HarnessOptions {
  readonly clients: number
  readonly seed: string
  /** Overrides fields of the default config, whose model is one vector of `size` parameters. */
  readonly size?: number
  readonly config?: (defaults: TaskConfig) => unknown
  readonly curves?: Curves
  readonly prg?: Prg
  readonly update: (index: number) => LocalUpdate
  /** Runs each piece of work that a bench may want to time. Default: just runs it. */
  readonly probe?: <T>(name: Probe, work: () => T) => T
  /** Sees each client's quantised update before it is masked. */
  readonly onQuantised?: (index: number, plain: Segments<Uint32Array>) => void
  /** The network: what becomes of a message. Default: it arrives as it is. */
  readonly network?: (envelope: Envelope) => readonly Envelope[]
}

export interface HarnessClient {
  readonly index: number
  readonly id: ClientId
  readonly env: ClientEnv
  state: ClientState
  alive: boolean
  highestRound: number
  head: LedgerHead | undefined
  /** Hex hashes of the base models that it has sent an update on. */
  readonly spent: Set<string>
  readonly effects: ClientEffect[]
}

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
  readonly enrolmentKey: Uint8Array
  readonly journal: Uint8Array[] = []
  readonly serverEffects: CoordinatorEffect[] = []
  state: CoordinatorState | undefined
  sum: UpdateSum | undefined
  aggregate: Aggregate | undefined
  /** Streams that the last unmasking expanded, each for both segments. */
  masksRemoved = 0
  now = 1_800_000_000_000
  network: (envelope: Envelope) => readonly Envelope[]

  readonly #options: HarnessOptions
  readonly #prg: Prg
  readonly #probe: <T>(name: Probe, work: () => T) => T
  readonly #entries = new Map<ClientId, Omit<RosterEntry, 'nonce'>>()
  readonly #queue: Envelope[] = []
  readonly #opened = new Map<ClientId, ReturnType<UpdateFormat['parse']>>()
  #round = 0

  constructor(options: HarnessOptions) {
    const curves = options.curves ?? naclCurves
    const entropy = seededEntropy(options.seed)
    this.#options = options
    this.#prg = options.prg ?? noblePrg
    this.#probe = options.probe ?? ((_name, work) => work())
    this.network = options.network ?? ((envelope) => [envelope])
    this.operatorSeed = entropy.bytes(32)
    this.operatorKey = curves.ed25519Public(this.operatorSeed)
    const enrolmentSeed = entropy.bytes(32)
    this.enrolmentKey = curves.ed25519Public(enrolmentSeed)
    const defaults = defaultConfig(options, toHex(this.enrolmentKey))
    this.config = parseTaskConfig(options.config?.(defaults) ?? defaults)
    this.signedConfig = signConfig(curves, this.operatorSeed, this.config)
    const { configHash } = openConfig(curves, this.operatorKey, this.signedConfig)
    this.format = new UpdateFormat(this.config)
    const coordinatorSecret = entropy.bytes(32)
    const coordinatorKey = curves.x25519Public(coordinatorSecret)
    this.server = { curves, config: this.config, configHash, coordinatorSecret, coordinatorKey }
    this.clients = Array.from({ length: options.clients }, (_, index) => this.#client(index, curves, entropy, enrolmentSeed))
    this.commit(this.#genesis())
  }

  client(id: ClientId): HarnessClient {
    const found = this.clients.find((client) => client.id === id)
    if (found === undefined) throw new Error(`no client ${id}`)
    return found
  }

  /** Runs one round until nothing more happens, invited being every client that lives. */
  runRound(): CoordinatorState {
    this.#round += 1
    this.#opened.clear()
    this.sum = this.format.sum(this.#prg)
    this.aggregate = undefined
    const head = this.journal.at(-1) as Uint8Array
    const entry = openEntry(this.server.curves, this.operatorKey, head)
    const base = { round: this.#round, modelHash: entry.modelAfter, head, headHash: entry.hash }
    const opened = openRound(
      this.server,
      base,
      this.clients.filter(({ alive }) => alive).map(({ id }) => id),
      this.now,
    )
    this.state = opened.state
    this.#serverEffects(opened.effects)
    this.settle()
    return this.state
  }

  /** Delivers messages, and lets time pass where all wait for it, until the round is over and nothing is under way. */
  settle(): void {
    for (let turns = 0; turns < 100_000; turns++) {
      const envelope = this.#queue.shift()
      if (envelope !== undefined) {
        this.#deliver(envelope)
        continue
      }
      const deadlines = [
        this.state && coordinatorDeadline(this.state),
        ...this.clients.filter(({ alive }) => alive).map(({ state }) => clientDeadline(state)),
      ]
      const next = Math.min(...deadlines.filter((d) => d !== undefined))
      if (next === Number.POSITIVE_INFINITY) return
      this.now = Math.max(this.now, next)
      this.toServer({ type: 'tick' })
      for (const client of this.clients) if (client.alive) this.toClient(client, { type: 'tick' })
    }
    throw new Error('the round does not settle')
  }

  kill(client: HarnessClient): void {
    client.alive = false
    if (this.state !== undefined) this.toServer({ type: 'gone', from: client.id })
  }

  toServer(input: CoordinatorInput): void {
    if (this.state === undefined) return
    const step = stepCoordinator(this.server, this.state, input, this.now)
    this.state = step.state
    this.#serverEffects(step.effects)
  }

  toClient(client: HarnessClient, input: ClientInput): void {
    const step = this.#probe('client:setup', () => stepClient(client.env, client.state, input, this.now))
    client.state = step.state
    for (const effect of step.effects) this.#clientEffect(client, effect)
  }

  post(envelope: Envelope): void {
    this.#queue.push(...this.network(envelope))
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
    } else if (message.type === 'invite' && client.spent.has(toHex(message.modelHash))) {
      this.#send(client.id, { type: 'decline', round: message.round, code: 'FL_BASE_SPENT' })
    } else if (isRoundMessage(message)) this.toClient(client, message)
  }

  #deliverToServer(from: ClientId, message: ClientMessage | Upload): void {
    switch (message.type) {
      case 'ready': {
        const entry = { ...(this.#entries.get(from) as RosterEntry), nonce: message.nonce }
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
      case 'hello':
      case 'available':
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
    const shared = sharedKey(curves, coordinatorSecret, (this.#entries.get(from) as RosterEntry).channelKey) as Uint8Array
    const plain = openSeal(sealKey(shared, context, 'upload', from), sealed, this.format.plainBytes)
    if (plain === undefined) return
    this.#opened.set(from, this.format.parse(plain))
    this.toServer({ type: 'uploaded', from, context, digest: toHex(sha256(sealed)) })
  }

  #serverEffects(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      this.serverEffects.push(effect)
      if (effect.type === 'send') this.#tell(effect.to, effect.message)
      else if (effect.type === 'accumulate') {
        const opened = this.#opened.get(effect.from)
        if (opened !== undefined && !isFault(opened)) this.sum?.add(opened)
      } else if (effect.type === 'unmask') this.#finish()
      else if (effect.type === 'aborted') {
        const { code, message } = effect
        for (const { id } of this.clients) this.#tell(id, { type: 'abort', round: this.#round, code, message })
      }
    }
  }

  #finish(): void {
    const { state, sum } = this
    if (state?.phase !== 'completed' || sum === undefined) return
    this.#probe('server:unmask', () => {
      const masks = rebuildMasks(this.server.curves, state)
      this.masksRemoved = masks.length
      sum.unmask(masks)
    })
    this.aggregate = sum.decode(state.survivors.length)
    const { context, round, roster, modelHash, headHash } = state.facts
    const { weight, counters } = this.aggregate
    const entry = this.commit({
      ...this.#genesis(),
      index: this.journal.length,
      round,
      previous: headHash,
      modelBefore: modelHash,
      modelAfter: hash('next model', modelHash),
      roster,
      members: state.members,
      survivors: state.survivors,
      transcripts: [...state.confirms].map(([id, { signature }]) => ({ id, signature })),
      weight,
      training: counters,
      uploadBytes: this.format.sealedBytes,
    })
    for (const id of state.survivors) this.#tell(id, { type: 'result', context, entry })
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
        const sealed = this.#probe('client:mask', () => {
          const plain = this.format.quantise(update, this.#prg, client.env.entropy)
          this.#options.onQuantised?.(client.index, plain)
          return this.format.maskAndSeal(plain, effect.masks, effect.sealKey, this.#prg)
        })
        this.#send(client.id, { type: 'upload', context: effect.context, sealed })
        break
      }
      case 'reopen':
        client.spent.delete(toHex(effect.modelHash))
        break
      case 'committed':
        client.head = effect.head
        break
      case 'aborted':
        break
    }
  }

  #client(index: number, curves: Curves, entropy: Entropy, enrolmentSeed: Uint8Array): HarnessClient {
    const identitySeed = entropy.bytes(32)
    const channelSecret = entropy.bytes(32)
    const identityKey = curves.ed25519Public(identitySeed)
    const id = clientIdOf(identityKey)
    const channelKey = curves.x25519Public(channelSecret)
    const { config, configHash, coordinatorKey } = this.server
    this.#entries.set(id, {
      certificate: certify(curves, enrolmentSeed, identityKey, 4_000_000_000),
      channelKey,
      channelSignature: curves.sign(identitySeed, channelStatement(taskId(config.taskId), channelKey, coordinatorKey)),
    })
    const env: ClientEnv = {
      curves,
      entropy: seededEntropy(`${this.#options.seed}/client/${index}`),
      id,
      identitySeed,
      channelSecret,
      config,
      configHash,
      operatorKey: this.operatorKey,
      coordinatorKey,
      enrolmentKey: this.enrolmentKey,
      verified: new Set(),
    }
    return {
      index,
      id,
      env,
      state: { phase: 'idle' },
      alive: true,
      highestRound: 0,
      head: undefined,
      spent: new Set(),
      effects: [],
    }
  }

  #genesis(): JournalBody {
    const zero = new Uint8Array(32)
    return {
      version: ENTRY_VERSION,
      index: 0,
      task: this.config.taskId,
      round: 0,
      at: this.now,
      previous: zero,
      configHash: this.server.configHash,
      coordinatorKey: this.server.coordinatorKey,
      modelBefore: zero,
      modelAfter: hash('initial model'),
      strategyState: zero,
      roster: [],
      members: [],
      survivors: [],
      transcripts: [],
      weight: 0,
      training: undefined,
      uploadBytes: 0,
      evaluation: undefined,
    }
  }
}

function isRoundMessage(message: ServerMessage): message is Extract<ClientInput, ServerMessage> {
  return ['invite', 'relay', 'acks', 'survivors', 'confirms', 'result', 'abort', 'aborts'].includes(message.type)
}

function defaultConfig({ clients, size = 16 }: HarnessOptions, enrolmentKey: string): TaskConfig {
  return parseTaskConfig({
    protocol: 'fedweave/v1',
    taskId: 'harness',
    rounds: 10,
    model: { topology: '{}', inputShape: [1], classes: 2, tensors: [{ name: 'w', shape: [size] }] },
    initialModel: toHex(hash('initial model')),
    plan: { epochs: 1, batchSize: 32, optimizer: 'sgd', learningRate: 0.1 },
    strategy: { name: 'fedavg' },
    cohort: { minimum: 3, target: clients, overSelection: 1 },
    // A clip bound of 2^15 - 1 makes one quantum worth 1, so that whole numbers are summed exactly.
    secureAggregation: { clipBound: 32767, valueBits: 16, weighting: 'uniform', maxWeight: 1 },
    deadlines: { recruitingMs: 1000, setupMs: 1000, collectingMs: 1000, confirmingMs: 1000, unmaskingMs: 1000 },
    enrolment: { key: enrolmentKey, holder: 'external' },
  })
}
