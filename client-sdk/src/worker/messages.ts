import type { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset, TrainingProgress, TrainingRequest, TrainingResult } from '../training/trainer.ts'

/**
 * What crosses to a training worker. `dataset` comes first and once. `id` names one call of `train`; each call ends in
 * exactly one `result` or `error`.
 */
export type ToWorker =
  | { readonly kind: 'dataset'; readonly dataset: LocalDataset }
  | { readonly kind: 'train'; readonly id: number; readonly request: TrainingRequest; readonly progress: boolean }
  | { readonly kind: 'stop'; readonly id: number }

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: TrainingProgress }
  | { readonly kind: 'result'; readonly id: number; readonly result: TrainingResult }
  | { readonly kind: 'error'; readonly id: number; readonly error: CrossedError }

/** Structured cloning would keep neither an error's class nor its code. */
export type CrossedError = ReturnType<FedweaveError['toJSON']>
