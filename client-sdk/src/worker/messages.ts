import type { FedweaveError } from '@fedweave/aggregator'
import type { BackendOptions } from '../tfjs/backend.ts'
import type { Backend } from '../tfjs/choose-backend.ts'
import type { Metrics } from '../training/metrics.ts'
import type {
  EvaluationRequest,
  LocalDataset,
  PredictionRequest,
  TrainingProgress,
  TrainingRequest,
  TrainingResult,
} from '../training/trainer.ts'
import type { MaskingJob } from './masker.ts'

/** What a training worker can be asked to do. */
export type Job =
  | { readonly kind: 'train'; readonly request: TrainingRequest; readonly progress: boolean }
  | { readonly kind: 'evaluate'; readonly request: EvaluationRequest }
  | { readonly kind: 'predict'; readonly request: PredictionRequest }
  | { readonly kind: 'mask'; readonly request: MaskingJob }
  | { readonly kind: 'backend' }

/** What each job gives. */
export interface JobResults {
  readonly train: TrainingResult
  readonly evaluate: Metrics
  readonly predict: Float32Array
  /** The sealed update. */
  readonly mask: Uint8Array
  readonly backend: Backend
}

/** What crosses to a training worker. `start` comes first and once. `id` names one job; each ends in exactly one `result` or `error`. */
export type ToWorker =
  | { readonly kind: 'start'; readonly dataset: LocalDataset; readonly options: BackendOptions }
  | { readonly kind: 'job'; readonly id: number; readonly job: Job }
  | { readonly kind: 'stop'; readonly id: number }

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: TrainingProgress }
  | { readonly kind: 'result'; readonly id: number; readonly result: JobResults[Job['kind']] }
  | { readonly kind: 'error'; readonly id: number; readonly error: CrossedError }

/** Structured cloning would keep neither an error's class nor its code. */
export type CrossedError = ReturnType<FedweaveError['toJSON']>
