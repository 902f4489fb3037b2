import type { TrainingPlan } from '@fedweave/aggregator'
import { softmaxCrossEntropy } from './cross-entropy.ts'
import type { Labels } from './labels.ts'
import { meanSquaredError } from './squared-error.ts'

/** What one batch of outputs says about the model. */
export interface Score {
  /** Sum over the batch. */
  readonly loss: number
  /** Of a classifier: examples whose most probable class is right. */
  readonly correct?: number
  /** Gradient of the batch's mean loss by the outputs. */
  readonly gradient: Float32Array
}

/** `outputs`: `width` a label, of a classifier its logits. */
export type LossFunction = (outputs: Float32Array, labels: Labels, width: number) => Score

export function lossOf({ loss = 'sparseCategoricalCrossentropy' }: Pick<TrainingPlan, 'loss'>): LossFunction {
  switch (loss) {
    case 'sparseCategoricalCrossentropy':
      return softmaxCrossEntropy
    case 'meanSquaredError':
      return meanSquaredError
  }
}
