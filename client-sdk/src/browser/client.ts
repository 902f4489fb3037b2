import { FedweaveError, taskId } from '@fedweave/aggregator'
import type { ClientOptions } from '../client.ts'
import { type ClientEvents, Emitter } from '../events.ts'
import type { RunSummary } from '../session.ts'
import type { LocalDataset } from '../training/trainer.ts'
import { baseUrl } from '../transport/http.ts'
import { runSession } from './attempt.ts'
import { type Conditions, pageSurroundings, watchConditions } from './conditions.ts'
import { Gate, type WaitReason } from './gate.ts'
import type { FromSession } from './messages.ts'
import { backOnline } from './online.ts'
import { databaseOf, placesOf, type WasmPaths } from './paths.ts'
import { Stopper } from './stopper.ts'
import { checkBrowser } from './support.ts'
import { inOneTab } from './tab-lock.ts'

export interface BrowserClientEvents extends ClientEvents {
  /** What speaks against taking part, with every change; no reasons: the client takes part. */
  waiting: { readonly reasons: readonly WaitReason[] }
}

export interface BrowserClientOptions extends Omit<ClientOptions, 'dataset'> {
  /** The server's http or https URL. */
  readonly url: string
  /** The examples, or what gives them anew each time that the client joins, and after `dataChanged`. */
  readonly dataset: LocalDataset | (() => LocalDataset | Promise<LocalDataset>)
  readonly conditions?: Conditions
  /** Asks the user before anything is sent; false ends `run` with `FL_STOPPED`. */
  readonly consent?: (about: { readonly url: string; readonly task: string }) => boolean | Promise<boolean>
  /** Name of the IndexedDB database for identity, ledgers and models; default: one for each server. */
  readonly database?: string
  readonly wasmPaths?: WasmPaths
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

/**
 * A client of one federated task in a web page. Protocol, training and masking run in workers, the identity lies in IndexedDB,
 * and nothing leaves the device but masked updates. Importing this file touches no browser API, so that servers can render
 * pages that use it.
 *
 *     const client = new FederatedClient({ url: location.origin, task: 'mnist', dataset })
 *     client.on('round', ({ round, evaluation }) => console.log(round, evaluation?.accuracy))
 *     await client.run()
 */
export class FederatedClient {
  readonly #options: BrowserClientOptions
  readonly #events = new Emitter<BrowserClientEvents>()
  readonly #gate: Gate
  readonly #stopper = new Stopper()
  #running = false
  #rounds = 0
  #modelHash: string | undefined
  #newData: boolean | undefined
  #connected = false
  /** Before the next attempt, after one that failed; it doubles until the server answers. */
  #pause = FIRST_PAUSE_MS

  /** Throws `FL_USAGE` for a bad URL, `FL_TASK_ID_INVALID` for a bad task id. */
  constructor(options: BrowserClientOptions) {
    taskId(options.task)
    this.#options = { ...options, url: baseUrl(options.url).href }
    this.#newData = options.newData
    this.#gate = new Gate((reasons) => {
      this.#events.emit('waiting', { reasons })
      this.#stopper.closed(reasons.length > 0)
    })
  }

  /** Listens to one kind of event; the function it returns ends that. */
  on<K extends keyof BrowserClientEvents>(type: K, listener: (event: BrowserClientEvents[K]) => void): () => void {
    return this.#events.on(type, listener)
  }

  /**
   * Takes part until the task has all its rounds, or `leave`. Waits while paused, while a condition is not met, while too few others
   * are there, and while a server that it once reached cannot be reached. Throws a `FedweaveError`, those of the client in Node and `FL_BROWSER_UNSUPPORTED`,
   * `FL_SESSION_REPLACED` while another tab is this client, `FL_STOPPED` after `signal` or without consent.
   */
  async run({ signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {}): Promise<RunSummary> {
    if (this.#running) throw new FedweaveError('FL_USAGE', 'this client runs already')
    this.#running = true
    const stop = () => {
      this.#stopper.stop()
      this.#gate.release()
    }
    try {
      this.#stopper.start()
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
      checkBrowser()
      return await inOneTab(databaseOf(this.#options), () => this.#takePart(signal))
    } catch (error) {
      if (error instanceof FedweaveError) this.#events.emit('error', error)
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      this.#running = false
    }
  }

  /** Takes no part until `resume`: a round whose update has left is finished first, any other is left at once. */
  pause(): void {
    this.#gate.set('user', ['paused'])
  }

  resume(): void {
    this.#gate.set('user', [])
  }

  /** Ends `run`, which resolves with what was done: a round whose update has left is finished first. */
  leave(): void {
    this.#stopper.leave()
    this.#gate.release()
  }

  /**
   * There are other examples: they are asked for between rounds, or now where there were too few. A continuous task that rests starts
   * again when enough clients have others.
   */
  dataChanged(): void {
    this.#newData = true
    this.#gate.set('data', [])
    this.#stopper.refresh()
  }

  async #takePart(signal: AbortSignal): Promise<RunSummary> {
    const { url, task, consent, conditions = {} } = this.#options
    if (consent !== undefined && !(await consent({ url, task })))
      throw new FedweaveError('FL_STOPPED', 'the user does not take part')
    const unwatch = await watchConditions(conditions, pageSurroundings(), (reasons) => this.#gate.set('device', reasons))
    try {
      for (;;) {
        await this.#gate.opened()
        if (signal.aborted) throw new FedweaveError('FL_STOPPED', 'the client was asked to stop')
        if (this.#stopper.left) return this.#summary
        try {
          const done = await this.#session()
          if (done) return this.#summary
        } catch (error) {
          if (!this.#mayReturn(error)) throw error
          await backOnline(this.#pause, this.#stopper.signal)
          this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS)
        }
      }
    } finally {
      unwatch()
    }
  }

  get #summary(): RunSummary {
    return { rounds: this.#rounds, modelHash: this.#modelHash }
  }

  /** Whether to try again: the server was there once, and may be again; or too few others came so far. */
  #mayReturn(error: unknown): boolean {
    if (!(error instanceof FedweaveError)) return false
    const { code, message } = error
    if (code === 'FL_TOO_FEW_CLIENTS') {
      this.#events.emit('warning', { code, message })
      return true
    }
    const lost = this.#connected && code === 'FL_SERVER_UNREACHABLE'
    if (lost) this.#events.emit('connection', { state: 'reconnecting' })
    return lost
  }

  /** Whether the task has all its rounds; false when something asked this session to end. */
  async #session(): Promise<boolean> {
    const { dataset: given, conditions, consent: _, wasmPaths, ...order } = this.#options
    const dataset = typeof given === 'function' ? await given() : given
    if (dataset.labels.length < (conditions?.minimumExamples ?? 1)) {
      this.#gate.set('data', ['too-few-examples'])
      return false
    }
    const signal = this.#stopper.next()
    try {
      const database = databaseOf(this.#options)
      const news = this.#newData === undefined ? {} : { newData: this.#newData }
      await runSession({ ...order, ...news, ...placesOf(wasmPaths), dataset, database }, signal, (event) => this.#take(event))
      return true
    } catch (error) {
      if (signal.aborted && error instanceof FedweaveError && error.code === 'FL_STOPPED') return false
      throw error
    }
  }

  #take(message: Extract<FromSession, { kind: 'event' }>): void {
    if (message.type === 'connection' && message.event.state === 'connected') {
      this.#connected = true
      this.#pause = FIRST_PAUSE_MS
    }
    if (message.type === 'round' && message.event.outcome === 'committed') {
      this.#rounds += 1
      this.#modelHash = message.event.modelHash
      this.#newData = this.#stopper.stale
    }
    this.#events.emit(message.type, message.event as never)
    this.#stopper.observe(message.type)
  }
}
