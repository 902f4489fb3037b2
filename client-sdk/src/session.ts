import {
  type ClientEnv,
  clientIdOf,
  decodeServerMessage,
  type ErrorCode,
  encode,
  encodeClientMessage,
  FedweaveError,
  fromHex,
  isErrorCode,
  joinToken,
  type OpenedConfig,
  openEntry,
  type ServerMessage,
  signJoinToken,
  type TaskConfig,
  type TaskId,
  toHex,
} from '@fedweave/aggregator'
import { checkEligibility } from './eligibility.ts'
import type { ClientEvents, Emitter } from './events.ts'
import { acceptWelcome, answerChallenge, type ClientIdentity, type Pins } from './handshake.ts'
import type { Platform } from './platform.ts'
import { RoundRunner } from './round-runner.ts'
import type { LedgerKeeper } from './storage/ledger-keeper.ts'
import { checkDataset } from './training/dataset.ts'
import type { LocalDataset, Trainer } from './training/trainer.ts'
import type { Transport } from './transport/transport.ts'

export interface SessionOptions {
  readonly task: TaskId
  readonly identity: ClientIdentity
  readonly pins: Pins
  readonly platform: Platform
  readonly transport: Transport
  readonly ledger: LedgerKeeper
  readonly dataset: LocalDataset
  /** Whether no committed round has seen these data; absent: where none ever counted an update of this client. */
  readonly newData: boolean | undefined
  readonly trainer: (dataset: LocalDataset) => Trainer
  readonly events: Emitter<ClientEvents>
  readonly seed: number
}

/** What `run` resolves with when the task has all its rounds. */
export interface RunSummary {
  /** Rounds of this run in which this client's update counted. */
  readonly rounds: number
  /** Hex hash of the last model that this client saw committed. */
  readonly modelHash: string | undefined
}

/** One client's conversation with one server, over all its connections: handshake, then the rounds' messages in order. */
export class Session {
  readonly #options: SessionOptions
  readonly #verified = new Set<string>()
  #operatorKey: Uint8Array | undefined
  #coordinatorKey: Uint8Array | undefined
  #config: TaskConfig | undefined
  #dataset: LocalDataset
  #trainer: Trainer
  /** Whether no committed round has seen the data set. */
  #newData: boolean
  /** Data that wait for a round to end. */
  #next: LocalDataset | undefined
  #token = ''
  #runner: RoundRunner | undefined
  #rounds = 0
  #finish: (summary: RunSummary) => void = () => undefined
  #fail: (error: unknown) => void = () => undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#dataset = options.dataset
    this.#trainer = options.trainer(options.dataset)
    this.#newData = options.newData ?? options.ledger.current.counted !== true
  }

  /** Whether there are data that no committed round has seen. */
  get newData(): boolean {
    return this.#newData || this.#next !== undefined
  }

  /** Trains on these data from the next round on, and reports them. Throws like `run` for data that do not fit the task. */
  replaceData(dataset: LocalDataset): void {
    if (this.#config !== undefined) this.#checkData(dataset, this.#config)
    this.#next = dataset
    queueMicrotask(() => this.#takeNext()) // a listener of `round` may have called: first that round is taken note of
  }

  /** Takes part until the task is finished. Throws a `FedweaveError` when it cannot go on, `FL_STOPPED` after an abort. */
  async run(signal: AbortSignal): Promise<RunSummary> {
    const { transport, events } = this.#options
    const over = new Promise<RunSummary>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
    over.catch(() => undefined) // awaited below; it may settle first
    const stopped = () => this.#fail(new FedweaveError('FL_STOPPED', 'the client was asked to stop'))
    const off = [
      events.on('round', ({ outcome }) => {
        if (outcome === 'committed') {
          this.#rounds += 1
          this.#newData = false
        }
        this.#takeNext()
      }),
      events.on('error', (error) => this.#fail(error)),
    ]
    signal.addEventListener('abort', stopped, { once: true })
    try {
      if (signal.aborted) stopped()
      else await transport.open(this.#handlers(), signal, () => this.#joinToken())
      return await over
    } catch (error) {
      await this.#runner?.stop(error instanceof FedweaveError ? error : new FedweaveError('FL_STOPPED', String(error)))
      throw error
    } finally {
      this.#runner?.close()
      signal.removeEventListener('abort', stopped)
      for (const remove of off) remove()
      transport.close()
      await this.#trainer.close()
    }
  }

  #joinToken(): Uint8Array {
    const { platform, identity } = this.#options
    return encode(joinToken, signJoinToken(platform.curves, identity.seed, identity.certificate, Date.now()))
  }

  #handlers() {
    const { events, identity } = this.#options
    return {
      opened: () => events.emit('connection', { state: 'connected', client: clientIdOf(identity.certificate.identityKey) }),
      closed: () => events.emit('connection', { state: 'reconnecting' }),
      lost: (error: Error) => this.#fail(error),
      message: (raw: Uint8Array) => {
        try {
          this.#receive(decodeServerMessage(raw))
        } catch (error) {
          this.#fail(error)
        }
      },
    }
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'challenge':
        return this.#challenged(message)
      case 'welcome':
        return void this.#welcomed(message).catch(this.#fail)
      case 'refusal':
        return this.#refused(message)
      case 'finished':
        return void this.#finished()
      default:
        void this.#runner?.input(message)
    }
  }

  #challenged(challenge: Extract<ServerMessage, { type: 'challenge' }>): void {
    const { platform, task, identity, pins, ledger } = this.#options
    const hello = answerChallenge(platform.curves, challenge, task, identity, pins, ledger.current)
    this.#operatorKey = challenge.operatorKey
    this.#coordinatorKey = challenge.coordinatorKey
    this.#send(hello)
  }

  async #welcomed(welcome: Extract<ServerMessage, { type: 'welcome' }>): Promise<void> {
    const { platform, task, pins, ledger, events } = this.#options
    const [operatorKey, coordinatorKey] = [this.#operatorKey, this.#coordinatorKey]
    if (operatorKey === undefined || coordinatorKey === undefined)
      throw new FedweaveError('FL_PROTOCOL_VIOLATION', 'the server welcomed before it challenged')
    const opened = acceptWelcome(platform.curves, welcome, operatorKey, task, pins, ledger.current)
    this.#checkData(this.#dataset, opened.config)
    openEntry(platform.curves, operatorKey, welcome.head)
    this.#config = opened.config
    this.#token = toHex(welcome.session)
    const env = this.#env(opened, operatorKey, coordinatorKey)
    if (this.#runner === undefined) this.#runner = this.#newRunner(env)
    else void this.#runner.reconnected(env, welcome.activeContext)
    this.#report()
    if (ledger.current.trusted === undefined)
      await ledger.trust({ operatorKey: toHex(operatorKey), enrolmentKey: opened.config.enrolment.key })
    if (opened.config.enrolment.holder === 'server') {
      events.emit('warning', {
        message: 'this server certifies clients itself: updates are safe from an honest-but-curious server only',
      })
    }
  }

  #checkData(dataset: LocalDataset, config: TaskConfig): void {
    checkDataset(dataset, config.model)
    checkEligibility(config.eligibility ?? {}, { examples: dataset.labels.length, runtime: this.#options.platform.runtime })
  }

  /** An update is of one data set: while a round runs, other data wait. */
  #takeNext(): void {
    const dataset = this.#next
    if (dataset === undefined || this.#runner?.inRound === true) return
    this.#next = undefined
    void this.#trainer.close()
    this.#dataset = dataset
    this.#trainer = this.#options.trainer(dataset)
    this.#newData = true
    this.#runner?.trainWith(this.#trainer)
    this.#report()
  }

  /** A continuous task rests until enough clients have said so. */
  #report(): void {
    if (this.#config?.continuous === true && this.#newData) this.#send({ type: 'available' })
  }

  #env({ config, configHash }: OpenedConfig, operatorKey: Uint8Array, coordinatorKey: Uint8Array): ClientEnv {
    const { platform, identity } = this.#options
    return {
      curves: platform.curves,
      entropy: platform.entropy,
      id: clientIdOf(identity.certificate.identityKey),
      identitySeed: identity.seed,
      channelSecret: identity.channelSecret,
      config,
      configHash,
      operatorKey,
      coordinatorKey,
      enrolmentKey: fromHex(config.enrolment.key),
      verified: this.#verified,
    }
  }

  #newRunner(env: ClientEnv): RoundRunner {
    const { platform, transport, ledger, events, seed } = this.#options
    return new RoundRunner(
      {
        platform,
        transport,
        ledger,
        trainer: this.#trainer,
        events,
        seed,
        send: (message) => this.#send(message),
        session: () => this.#token,
      },
      env,
    )
  }

  /** What came before it, the last result above all, is done first. */
  async #finished(): Promise<void> {
    await this.#runner?.settled()
    this.#finish({ rounds: this.#rounds, modelHash: this.#options.ledger.current.head?.modelHash })
  }

  /** A fatal refusal ends the session; any other changed nothing, and the round's own messages say how it goes on. */
  #refused({ code, message, cure, fatal }: Extract<ServerMessage, { type: 'refusal' }>): void {
    const known: ErrorCode = isErrorCode(code) ? code : 'FL_SERVER_FAULT'
    if (fatal !== 0) this.#fail(new FedweaveError(known, message, { cure }))
    else if (known !== 'FL_DUPLICATE') this.#options.events.emit('warning', { message: `${known}: ${message}` })
  }

  #send(message: Parameters<typeof encodeClientMessage>[0]): void {
    this.#options.transport.send(encodeClientMessage(message))
  }
}
