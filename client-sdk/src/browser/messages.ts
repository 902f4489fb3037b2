import type { Eligibility, Evaluation, ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import type { ClientOptions } from '../client.ts'
import type { ClientEvents } from '../events.ts'
import type { RunSummary } from '../session.ts'
import type { CrossedError } from '../worker/messages.ts'
import type { WasmPaths } from './paths.ts'

/** What a session's worker is to do; nothing in it is tied to the page. */
export interface SessionOrder extends ClientOptions {
  readonly url: string
  /** Name of the IndexedDB database that holds the identity. */
  readonly database: string
  readonly wasmPaths?: WasmPaths
}

/** Whose public record is to be read, and by whom it must be signed. */
export interface ReadOrder {
  readonly url: string
  readonly task: string
  /** In hex. */
  readonly operatorKey: string
  readonly database: string
}

/** Which model of a task is to be fetched. */
export type WeightsOrder = Omit<ReadOrder, 'operatorKey'> & { readonly modelHash: string }

/** One committed round, as its journal entry tells it. */
export interface CommittedRound {
  readonly round: number
  /** Unix milliseconds. */
  readonly at: number
  readonly cohort: number
  readonly survivors: number
  /** Clients' own means over the examples that they trained on; absent where the counters were garbage. */
  readonly training?: { readonly loss: number; readonly accuracy?: number }
  /** On the server's held-out data, where the task has some. */
  readonly evaluation?: Evaluation
}

/** A task as its signed config and journal show it: checked, not believed. */
export interface TaskRecord {
  readonly model: ModelSpec
  readonly plan: TrainingPlan
  /** What the task asks of its clients, which check it when they join. */
  readonly eligibility: Eligibility
  /** Rounds that the task is to have; where it is continuous, up to its next rest. */
  readonly planned: number
  /** The oldest first. */
  readonly rounds: readonly CommittedRound[]
  readonly modelHash: string
  /** Whether a server that certifies clients itself could put its own among them. */
  readonly certifies: boolean
}

/** What crosses to a session's worker. `offline`: the browser lost its network, which not every browser tells its workers. */
export type ToSession =
  | { readonly kind: 'start'; readonly order: SessionOrder }
  | { readonly kind: 'read'; readonly order: ReadOrder }
  | { readonly kind: 'weights'; readonly order: WeightsOrder }
  | { readonly kind: 'offline' }
  | { readonly kind: 'stop' }

/** What comes back: events, and at the end, once, how it went. */
export type FromSession =
  | {
      [K in keyof ClientEvents]: { readonly kind: 'event'; readonly type: K; readonly event: ClientEvents[K] }
    }[keyof ClientEvents]
  | { readonly kind: 'done'; readonly result: RunSummary | TaskRecord | Float32Array }
  | { readonly kind: 'failed'; readonly error: CrossedError }
