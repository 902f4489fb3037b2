import {
  type CohortMean,
  ENTRY_VERSION,
  encodeAggregate,
  equalBytes,
  FedweaveError,
  fromHex,
  type JournalBody,
  type JournalEntry,
  type OpenedConfig,
  openConfig,
  openEntry,
  signConfig,
  signEntry,
  type TaskConfig,
  toHex,
} from '@fedweave/aggregator'
import type { Store } from '../storage/store.ts'
import type { ServerKeys } from './identity.ts'
import { decodeInterrupted, encodeInterrupted, type InterruptedCohort, type InterruptedRound } from './interrupted.ts'
import { KeptCheckpoints } from './kept-checkpoints.ts'
import { type JournalHead, replayJournal } from './replay.ts'

const ZERO = new Uint8Array(32)

/** What one committed round adds to the journal; the chain's own fields are filled in by `commit`. */
export type Commitment = Pick<
  JournalBody,
  'round' | 'cohorts' | 'weight' | 'training' | 'uploadBytes' | 'evaluation' | 'privacy' | 'strategyState'
>

/** A task's committed past: its signed config, its journal, and the weights at the journal's end. */
export class TaskHistory {
  readonly signedConfig: Uint8Array
  readonly config: TaskConfig
  readonly configHash: Uint8Array
  readonly #store: Store
  readonly #keys: ServerKeys
  readonly #kept: KeptCheckpoints | undefined
  /** Cohorts of the running round that a note is kept of. */
  readonly #noted = new Set<number>()
  #head: JournalHead | undefined
  #weights: Float32Array
  #attempt: number

  private constructor(
    store: Store,
    keys: ServerKeys,
    signedConfig: Uint8Array,
    opened: OpenedConfig,
    start: { readonly weights: Float32Array; readonly attempt: number; readonly keptCheckpoints: number | undefined },
  ) {
    this.#store = store
    this.#keys = keys
    this.signedConfig = signedConfig
    this.config = opened.config
    this.configHash = opened.configHash
    this.#weights = start.weights
    this.#attempt = start.attempt
    this.#kept = start.keptCheckpoints === undefined ? undefined : new KeptCheckpoints(start.keptCheckpoints)
  }

  /**
   * Opens what the store holds, or begins the task with `initialWeights`. Throws `FL_CONFIG_INVALID` when the store was
   * begun under another config, `FL_STORE_DAMAGED` when the last committed model is missing or the chain is broken.
   * The models of the last `keptCheckpoints` rounds are kept, besides the initial one; absent: all.
   */
  static async open(
    store: Store,
    keys: ServerKeys,
    config: TaskConfig,
    initialWeights: Float32Array,
    keptCheckpoints?: number,
  ): Promise<TaskHistory> {
    const kept = await store.readNote('config')
    const signedConfig = kept ?? signConfig(keys.curves, keys.operatorSeed, config)
    const opened = openConfig(keys.curves, keys.operatorKey, signedConfig)
    if (JSON.stringify(opened.config) !== JSON.stringify(config)) {
      throw new FedweaveError('FL_CONFIG_INVALID', `task ${config.taskId} was begun under another config`, {
        cure: 'Give the changed task another id or another data folder; a running task keeps its config.',
      })
    }
    if (kept === undefined) await store.note('config', signedConfig)
    const attempts = await store.readNote('attempt')
    const attempt = attempts === undefined ? 0 : Number(new DataView(attempts.slice().buffer).getBigUint64(0))
    const history = new TaskHistory(store, keys, signedConfig, opened, { weights: initialWeights, attempt, keptCheckpoints })
    await history.#replay()
    if (history.#head === undefined) await history.#begin(initialWeights)
    else await history.#resume()
    await history.#prune()
    return history
  }

  get head(): JournalEntry {
    return this.#journalHead.entry
  }

  /** The last entry as the operator signed it. */
  get signedHead(): Uint8Array {
    return this.#journalHead.signed
  }

  /** All entries as the operator signed them, the first one first, read as they are asked for: the journal grows without end. */
  async *signedEntries(): AsyncGenerator<Uint8Array> {
    for await (const { bytes } of this.#store.records()) yield bytes
  }

  get weights(): Float32Array {
    return this.#weights
  }

  /** Rounds committed so far. */
  get rounds(): number {
    return this.head.index
  }

  /** A round number that was never used, durable before it is given. */
  async nextAttempt(): Promise<number> {
    this.#attempt = Math.max(this.#attempt, this.head.round) + 1
    const raw = new Uint8Array(8)
    new DataView(raw.buffer).setBigUint64(0, BigInt(this.#attempt))
    await this.#store.note('attempt', raw)
    return this.#attempt
  }

  /** Makes the new model and what it was made of durable, then the entry that names them. Returns the signed entry. */
  async commit(commitment: Commitment, means: readonly CohortMean[], weights: Float32Array): Promise<Uint8Array> {
    const modelAfter = fromHex(await this.#store.putCheckpoint(weightsToBytes(weights)))
    const aggregates: Uint8Array[] = []
    for (const mean of means) aggregates.push(fromHex(await this.#store.putCheckpoint(encodeAggregate(mean))))
    const signed = await this.#append({
      ...commitment,
      version: ENTRY_VERSION,
      index: this.head.index + 1,
      task: this.config.taskId,
      at: Date.now(),
      previous: this.head.hash,
      configHash: this.configHash,
      coordinatorKey: this.#keys.coordinatorKey,
      modelBefore: this.head.modelAfter,
      modelAfter,
      aggregates,
    })
    this.#weights = weights
    await this.#prune()
    return signed
  }

  /** Little-endian float32, where a model of that SHA-256 is kept. */
  async model(hash: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#store.checkpoint(hash)
    return bytes?.length === 4 * this.#weights.length ? bytes : undefined // else it is an aggregate
  }

  /** As `encodeAggregate` gives it, where an aggregate of that SHA-256 is kept. */
  async aggregate(hash: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#store.checkpoint(hash)
    return bytes?.length === 4 * this.#weights.length ? undefined : bytes
  }

  /** Keeps what finishing a cohort takes; durable when it resolves. */
  noteCohort(cohort: Omit<InterruptedCohort, 'coordinatorKey' | 'headHash'>): Promise<void> {
    const { coordinatorKey } = this.#keys
    this.#noted.add(cohort.index)
    return this.#store.note(`round-${cohort.index}`, encodeInterrupted({ ...cohort, coordinatorKey, headHash: this.head.hash }))
  }

  async forgetRound(): Promise<void> {
    for (const index of this.#noted) await this.#store.note(`round-${index}`, new Uint8Array())
    this.#noted.clear()
  }

  /**
   * The round that an earlier run of the server did not finish and this one can: it was not committed, the key is the same, and
   * of its cohorts as many had come so far as a commit takes.
   */
  async interruptedRound(): Promise<InterruptedRound | undefined> {
    const { groups = 1 } = this.config.cohort
    const cohorts: InterruptedCohort[] = []
    for (let index = 0; index < groups; index++) {
      const raw = await this.#store.readNote(`round-${index}`)
      const cohort = raw === undefined || raw.length === 0 ? undefined : decodeInterrupted(raw)
      if (cohort !== undefined && this.#goesOn(cohort)) cohorts.push(cohort)
    }
    for (const { index } of cohorts) this.#noted.add(index)
    const [first] = cohorts
    return first === undefined || 2 * cohorts.length <= first.total
      ? undefined
      : { round: first.round, total: first.total, cohorts }
  }

  #goesOn({ headHash, coordinatorKey }: InterruptedCohort): boolean {
    return equalBytes(headHash, this.head.hash) && equalBytes(coordinatorKey, this.#keys.coordinatorKey)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  get #journalHead(): JournalHead {
    if (this.#head === undefined) throw new Error('the journal has not begun')
    return this.#head
  }

  async #replay(): Promise<void> {
    const journal = { keys: this.#keys, task: this.config.taskId, configHash: this.configHash }
    this.#head = await replayJournal(this.#store, journal, (link) => this.#kept?.committed(link))
  }

  async #begin(weights: Float32Array): Promise<void> {
    const modelAfter = fromHex(await this.#store.putCheckpoint(weightsToBytes(weights)))
    await this.#append({
      version: ENTRY_VERSION,
      index: 0,
      task: this.config.taskId,
      round: 0,
      at: Date.now(),
      previous: ZERO,
      configHash: this.configHash,
      coordinatorKey: this.#keys.coordinatorKey,
      modelBefore: ZERO,
      modelAfter,
      strategyState: ZERO,
      aggregates: [],
      cohorts: [],
      weight: 0,
      training: undefined,
      uploadBytes: 0,
      evaluation: undefined,
      privacy: undefined,
    })
  }

  async #resume(): Promise<void> {
    const hash = toHex(this.head.modelAfter)
    const bytes = await this.#store.checkpoint(hash)
    if (bytes === undefined)
      throw new FedweaveError('FL_STORE_DAMAGED', `the checkpoint ${hash} that the journal names is missing`)
    this.#weights = bytesToWeights(bytes)
  }

  async #append(body: JournalBody): Promise<Uint8Array> {
    const signed = signEntry(this.#keys.curves, this.#keys.operatorSeed, body)
    await this.#store.append(signed)
    const entry = openEntry(this.#keys.curves, this.#keys.operatorKey, signed)
    this.#head = { entry, signed }
    this.#kept?.committed(entry)
    return signed
  }

  /** What a crash left behind between a checkpoint and its entry goes, too. A round stays committed where this fails. */
  async #prune(): Promise<void> {
    if (this.#kept !== undefined) await this.#store.keepCheckpoints(this.#kept.names).catch(() => undefined)
  }
}

/** Little-endian float32: what a model's hash is over, and what clients fetch. */
export function weightsToBytes(weights: Float32Array): Uint8Array {
  return new Uint8Array(weights.slice().buffer)
}

function bytesToWeights(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer)
}
