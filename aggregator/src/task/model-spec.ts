import type { TensorSpec } from '../quantise/layout.ts'

/** A classifier as every party of a task knows it: the topology to build, and the layout of its weights. */
export interface ModelSpec {
  /** TensorFlow.js layers JSON, the string that `JSON.stringify(model.toJSON(null, false))` gives. */
  readonly topology: string
  /** Shape of one example, without the batch dimension. */
  readonly inputShape: readonly number[]
  /** Number of classes; the output is one probability a class. */
  readonly classes: number
  /** Trainable tensors in the order of `model.trainableWeights`. */
  readonly tensors: readonly TensorSpec[]
}
