import type { ModelSpec, Segments, SignedMask, TaskConfig, UnmaskingPlan } from '@fedweave/aggregator'
import type { LocalDataset, Metrics, TrainingRequest } from '@fedweave/client/training'

/** What every worker reads; the arrays lie on shared memory, so that there is one copy whatever the number of workers. */
export interface SharedData {
  readonly train: LocalDataset
  readonly test: LocalDataset
}

/** Trains on some rows. `keep`: the delta stays in the worker under this number, to be masked there. */
export interface TrainJob {
  readonly kind: 'train'
  readonly rows: Int32Array
  readonly request: TrainingRequest
  readonly keep?: number
}

export interface TrainOutcome {
  /** Absent when it was kept. */
  readonly delta?: Float32Array
  readonly examples: number
  readonly steps: number
  readonly loss: number
  /** Of a classifier. */
  readonly accuracy: number | undefined
}

/** Masks and seals a delta that was kept, and forgets it; then, as the coordinator, opens the update and adds it to this thread's sum. */
export interface MaskJob {
  readonly kind: 'mask'
  readonly keep: number
  readonly weight: number
  readonly config: TaskConfig
  readonly context: Uint8Array
  readonly roundingKey: Uint8Array
  readonly masks: readonly SignedMask[]
  readonly sealKey: Uint8Array
  /** The coordinator's for the same seal. */
  readonly openKey: Uint8Array
  /** Also gives the delta, for a comparison with the plain sum. */
  readonly reveal: boolean
}

export interface MaskOutcome {
  readonly delta?: Float32Array
}

/** Gives this thread's part of a round's sum, less the masks of `plan`. */
export interface SumJob {
  readonly kind: 'sum'
  readonly config: TaskConfig
  readonly plan: UnmaskingPlan
}

/** Judges weights on rows of the test or the training examples. */
export interface JudgeJob {
  readonly kind: 'judge'
  readonly on: keyof SharedData
  readonly rows: Int32Array
  readonly request: Pick<TrainingRequest, 'model' | 'weights' | 'plan'>
}

/** What a regressor's weights estimate for the rows. */
export interface EstimateJob extends Omit<JudgeJob, 'kind'> {
  readonly kind: 'estimate'
}

/** Builds a model once, to know its tensors and the weights that its initialisers draw. */
export interface DescribeJob {
  readonly kind: 'describe'
  readonly topology: string
}

export interface BackendJob {
  readonly kind: 'backend'
}

export type Job = TrainJob | MaskJob | SumJob | JudgeJob | EstimateJob | DescribeJob | BackendJob

export interface Outcomes {
  readonly train: TrainOutcome
  readonly mask: MaskOutcome
  readonly sum: Segments<Uint32Array>
  readonly judge: Metrics
  readonly estimate: { readonly estimates: Float32Array }
  readonly describe: { readonly model: ModelSpec; readonly weights: Float32Array }
  readonly backend: { readonly name: string; readonly simd?: boolean; readonly kernels?: string }
}

export type ToWorker = { readonly id: number; readonly job: Job }
export type FromWorker =
  | { readonly id: number; readonly outcome: Outcomes[Job['kind']] }
  | { readonly id: number; readonly error: { code: string; message: string; cure: string } }
