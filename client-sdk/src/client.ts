import {
  certificate,
  clientIdOf,
  decode,
  encode,
  equalBytes,
  FedweaveError,
  fromHex,
  hash,
  taskId,
  toHex,
} from '@fedweave/aggregator'
import { type ClientEvents, Emitter } from './events.ts'
import type { ClientIdentity, Pins } from './handshake.ts'
import type { Platform } from './platform.ts'
import type { RunSummary, Session } from './session.ts'
import { LedgerKeeper } from './storage/ledger-keeper.ts'
import type { ClientStore } from './storage/store.ts'
import type { LocalDataset, Trainer } from './training/trainer.ts'
import type { Transport } from './transport/transport.ts'
import { fetchWeights } from './weights.ts'

export interface ClientOptions {
  readonly task: string
  readonly dataset: LocalDataset
  /** Whether the examples are new to the task, which a continuous task is told; absent: where no committed round has counted this client. */
  readonly newData?: boolean
  /** Public keys, in hex, known from the operator over another channel; without them the first visit is trusted. */
  readonly pins?: Pins
  /** Certificate of this identity, encoded; kept in the store from then on. Absent: the store's while it is in force, else it enrols. */
  readonly certificate?: Uint8Array
  /** Invite token or JWT with which to enrol, where enrolment asks for one; needed once for each store. */
  readonly token?: string
  /** Base URL of the enrolment service, from the operator; absent: what the server names, which then sees the token. */
  readonly enrolmentUrl?: string
  /** Makes training repeatable; absent: drawn once from the identity. */
  readonly seed?: number
}

export interface ClientParts {
  readonly platform: Platform
  readonly store: ClientStore
  readonly transport: () => Transport
  readonly trainer: (dataset: LocalDataset) => Trainer
}

/** The client of one task, with its parts handed in: entry points for each platform choose them. */
export class TaskClient {
  readonly #options: ClientOptions
  readonly #parts: ClientParts
  readonly #events = new Emitter<ClientEvents>()
  #dataset: LocalDataset
  #newData: boolean | undefined
  #session: Session | undefined

  /** Throws `FL_TASK_ID_INVALID`. */
  constructor(options: ClientOptions, parts: ClientParts) {
    taskId(options.task)
    this.#options = options
    this.#parts = parts
    this.#dataset = options.dataset
    this.#newData = options.newData
  }

  /** Listens to one kind of event; the function it returns ends that. */
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#events.on(type, listener)
  }

  /**
   * Trains on other examples from the next round on: one that runs is finished with those before. A continuous task that rests
   * starts again when enough clients did this. Throws as `run` does for examples that do not fit the task, where it is known.
   */
  newData(dataset: LocalDataset): void {
    this.#session?.replaceData(dataset)
    this.#dataset = dataset
    this.#newData = true
  }

  /**
   * Joins the task and takes part until it has all its rounds, or, where it is continuous, until the operator stops it. Throws a
   * `FedweaveError` whose code names the cause, among them `FL_SERVER_UNREACHABLE`, `FL_TASK_UNKNOWN`, `FL_PROTOCOL_VERSION`, `FL_DATASET_SHAPE`, `FL_NON_FINITE`, `FL_NOT_ELIGIBLE`,
   * `FL_TOO_FEW_CLIENTS`, `FL_PIN_MISMATCH`; and `FL_STOPPED` after `signal`.
   */
  async run(options: { readonly signal?: AbortSignal } = {}): Promise<RunSummary> {
    const { platform, store } = this.#parts
    const task = taskId(this.#options.task)
    const signal = options.signal ?? new AbortController().signal
    const transport = this.#parts.transport()
    const identity = await this.#identity(transport, signal)
    const ledger = await LedgerKeeper.open(store, task)
    const { Session } = await import('./session.ts') // a page that only shows the task never loads the protocol
    const session = new Session({
      task,
      identity,
      pins: this.#options.pins ?? {},
      platform,
      transport,
      ledger,
      dataset: this.#dataset,
      newData: this.#newData,
      trainer: this.#parts.trainer,
      events: this.#events,
      seed: this.#options.seed ?? new DataView(hash('seed', identity.seed).buffer).getUint32(0),
    })
    this.#session = session
    try {
      return await session.run(signal)
    } finally {
      this.#session = undefined
      this.#newData = session.newData
    }
  }

  /** The weights that this client last saw committed, checked against their hash. Throws `FL_MODEL_UNKNOWN` before the first. */
  async model(signal: AbortSignal = new AbortController().signal): Promise<Float32Array> {
    const { head } = (await LedgerKeeper.open(this.#parts.store, this.#options.task)).current
    if (head === undefined) throw new FedweaveError('FL_MODEL_UNKNOWN', 'this client has not seen a committed model yet')
    return fetchWeights(this.#parts.transport(), this.#options.task, fromHex(head.modelHash), signal)
  }

  async #identity(transport: Transport, signal: AbortSignal): Promise<ClientIdentity> {
    const { platform, store } = this.#parts
    const { curves, entropy } = platform
    const { seed, warning } = await store.identity(() => entropy.bytes(32))
    if (warning !== undefined) this.#events.emit('warning', { message: warning })
    const identityKey = curves.ed25519Public(seed)
    const encoded =
      this.#options.certificate ??
      unexpired(await store.certificate()) ??
      (await this.#enrol(transport, seed, identityKey, signal))
    const parsed = decode(certificate, encoded)
    if (!equalBytes(parsed.identityKey, identityKey)) {
      throw new FedweaveError(
        'FL_CERTIFICATE_INVALID',
        `the certificate is of client ${clientIdOf(parsed.identityKey)}, not of ${clientIdOf(identityKey)}`,
      )
    }
    await store.saveCertificate(encode(certificate, parsed))
    return { seed, certificate: parsed, channelSecret: entropy.bytes(32) }
  }

  #enrol(transport: Transport, seed: Uint8Array, identityKey: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const proof = this.#parts.platform.curves.sign(seed, hash('fw1/enrol', identityKey))
    const { token, enrolmentUrl: url } = this.#options
    const request = { identityKey: toHex(identityKey), proof: toHex(proof) }
    return transport.enrol(
      { ...request, ...(token === undefined ? {} : { token }), ...(url === undefined ? {} : { url }) },
      signal,
    )
  }
}

function unexpired(encoded: Uint8Array | undefined): Uint8Array | undefined {
  return encoded !== undefined && decode(certificate, encoded).notAfter * 1000 > Date.now() ? encoded : undefined
}
