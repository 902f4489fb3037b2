import type { ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import type { BackendOptions } from '../../../client-sdk/src/tfjs/backend.ts'
import type { Backend } from '../../../client-sdk/src/tfjs/choose-backend.ts'
import type { TrainingResult } from '../../../client-sdk/src/training/trainer.ts'

/** A round on the data and weights that the site serves under `/data/`. */
export interface Round {
  readonly model: ModelSpec
  readonly plan: TrainingPlan
  readonly seed: number
  /** Of one example. */
  readonly shape: readonly number[]
}

export type Measured = Omit<TrainingResult, 'delta'>

export interface WorkerRound extends Measured {
  readonly deltaHash: string
  readonly backend: Backend
  /** Durations, in ms, of the page's tasks above 50 ms while the worker trained. */
  readonly longTasks: readonly number[]
  /** Progress events. */
  readonly reports: number
}

export interface LostRound extends Measured {
  readonly deltaHash: string
  readonly before: Backend
  readonly after: Backend
  /** Whether the first backend is known to be lost. */
  readonly lost: boolean
  /** Steps in the order of their progress events. */
  readonly reported: readonly number[]
}

/** What the page lets tests do. */
export interface PageApi {
  /** Trains in a Web Worker. */
  trainInWorker(round: Round): Promise<WorkerRound>
  /** Lets a Web Worker die of a bug in one round, and asks the same trainer for another round. */
  crashAndRecover(round: Round): Promise<{
    readonly error: { readonly name: string; readonly code: string; readonly message: string } | undefined
    readonly steps: number
  }>
  /** Trains in one Web Worker, round after round, and gives the number of tensors there after each. */
  tensorsOver(round: Round, rounds: number): Promise<number[]>
  /** Keeps the page's thread busy, and gives the long tasks that were seen. */
  blockFor(ms: number): Promise<number[]>
  /** Chooses in the page's thread. */
  backend(options: BackendOptions): Promise<Backend>
  /** Trains in the page's thread on emulated WebGL, whose context it takes away after two steps. */
  trainUntilLost(round: Round): Promise<LostRound>
}

declare global {
  interface Window {
    fedweave: PageApi
  }
}
