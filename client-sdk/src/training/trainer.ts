import type { ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import type { Backend } from '../tfjs/choose-backend.ts'
import type { Labels } from './labels.ts'
import type { Metrics } from './metrics.ts'

/** A client's labelled examples. They stay on the client. */
export interface LocalDataset {
  /** Examples one after another: `labels.length` times the product of `shape` values. */
  readonly xs: Float32Array
  /** Shape of one example. */
  readonly shape: readonly number[]
  readonly labels: Labels
}

/** One round of local training. */
export interface TrainingRequest {
  readonly model: ModelSpec
  /** Global weights, flat, in the order of `model.tensors`. */
  readonly weights: Float32Array
  readonly plan: TrainingPlan
  /** Unsigned 32-bit integer that every random choice of the round follows from: same request, same data, same delta. */
  readonly seed: number
}

/** State after an optimiser update; means run over the examples trained on so far in this round. */
export interface TrainingProgress {
  /** Updates done, from 1. */
  readonly step: number
  /** Updates that the round takes, unless it stops early. */
  readonly steps: number
  readonly loss: number
  /** Of a classifier. */
  readonly accuracy?: number
  /** With the update that closes an epoch, where the plan keeps examples for validation. */
  readonly validation?: Validation
}

/** What the weights as they stand make of the examples that nobody trains on. */
export interface Validation {
  readonly examples: number
  /** Mean cross-entropy in nats, or mean squared error. */
  readonly loss: number
  /** Of a classifier. */
  readonly accuracy?: number
}

export interface TrainingResult {
  /** Local minus global weights, flat, finite. */
  readonly delta: Float32Array
  /** Different examples trained on: the client's weight in a federated average. */
  readonly examples: number
  /** Optimiser updates done. */
  readonly steps: number
  /** Mean loss over the round's examples, each measured just before the update that used it: cross-entropy in nats, or squared error. */
  readonly loss: number
  /** Of a classifier: share of the same examples whose most probable class was right. */
  readonly accuracy?: number
  /** Of the weights that `delta` leads to, where the plan keeps examples for validation. */
  readonly validation?: Validation
}

export interface TrainOptions {
  /** Stops the round within one step; the call then throws `FL_STOPPED`. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TrainingProgress) => void
}

/** Trains on one client's data, wherever the work is done: this thread, a worker thread, a Web Worker. */
export interface Trainer {
  /**
   * Throws `FL_DATASET_SHAPE` or `FL_NON_FINITE` for data that does not fit the model, `FL_MODEL_UNSUPPORTED` for a model
   * that cannot be trained, `FL_UPDATE_SHAPE` for weights of another size, `FL_CONFIG_INVALID` for a loss of other models, `FL_OUT_OF_RANGE` for a plan or
   * seed that makes no sense, `FL_NON_FINITE` when training diverges and `FL_STOPPED` after an abort or `close`.
   */
  train(request: TrainingRequest, options?: TrainOptions): Promise<TrainingResult>
  /** Stops what runs and frees the memory; later calls throw `FL_STOPPED`. */
  close(): Promise<void>
}

/** Weights to be judged on a client's own data. */
export interface EvaluationRequest {
  readonly model: ModelSpec
  readonly weights: Float32Array
  /** The plan that they were trained by: its normalisation holds here too. */
  readonly plan?: Pick<TrainingPlan, 'validation' | 'normalise'>
}

/** Examples that weights are to classify, or to estimate a number for. */
export interface PredictionRequest {
  readonly model: ModelSpec
  readonly weights: Float32Array
  /** One example after the other, each of `model.inputShape`. */
  readonly xs: Float32Array
  /** The plan that they were trained by; a normalisation without numbers of its own takes those of `xs`. */
  readonly plan?: Pick<TrainingPlan, 'normalise'>
}

/** A trainer that TensorFlow.js runs for. */
export interface LocalTrainer extends Trainer {
  /**
   * Judges weights on the examples that the plan keeps for validation, or on all where it keeps none. Throws as `train`
   * does, and `FL_NON_FINITE` naming the rows for which the model gives NaN.
   */
  evaluate(request: EvaluationRequest, options?: Pick<TrainOptions, 'signal'>): Promise<Metrics>
  /** `model.classes` values for each example: probabilities that sum to 1, or of a regressor its estimate. Throws as `evaluate` does, for these examples. */
  predict(request: PredictionRequest): Promise<Float32Array>
  /** Starts TensorFlow.js, unless it runs, and says what it computes on and why. Throws `FL_DEPENDENCY_MISSING`. */
  backend(): Promise<Backend>
}
