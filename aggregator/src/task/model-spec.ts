import type { TensorSpec } from '../quantise/layout.ts'

/** A classifier or a regressor as every party of a task knows it: the topology to build, and the layout of its weights. */
export interface ModelSpec {
  /** TensorFlow.js layers JSON, the string that `JSON.stringify(model.toJSON(null, false))` gives. */
  readonly topology: string
  /** Shape of one example, without the batch dimension. */
  readonly inputShape: readonly number[]
  /** Number of classes; the output is one probability a class. 1: a regressor, whose output is one number. */
  readonly classes: number
  /** Trainable tensors in the order of `model.trainableWeights`. */
  readonly tensors: readonly TensorSpec[]
}

/** Whether the model's one output is a number that it estimates; else its outputs are the probabilities of classes. */
export function isRegressor({ classes }: Pick<ModelSpec, 'classes'>): boolean {
  return classes === 1
}
