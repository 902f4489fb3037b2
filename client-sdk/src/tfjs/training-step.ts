import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { Adam, AdamW, Momentum, Sgd } from '../kernels/index.ts'
import type { Batch } from '../training/batches.ts'
import type { LossFunction, Score } from '../training/loss.ts'
import type { ProximalTerm } from './proximal.ts'
import { untrainableLayer } from './untrainable.ts'

/** A fresh optimiser for one round, with the defaults of Kingma and Ba 2015 for Adam. Dispose of it after the round. */
export function createOptimizer(plan: TrainingPlan): Sgd | Momentum | Adam | AdamW {
  const { optimizer, learningRate, momentum, weightDecay } = plan
  switch (optimizer) {
    case 'sgd':
      return momentum === undefined ? new Sgd({ learningRate }) : new Momentum({ learningRate, momentum })
    case 'adam':
      return new Adam({ learningRate })
    case 'adamw':
      return new AdamW({ learningRate, ...(weightDecay === undefined ? {} : { weightDecay }) })
  }
}

/**
 * One update of `model` (which ends in logits or an estimate) on one batch; the score is that of the weights before the update.
 * Leaves no tensor behind. Throws `FL_MODEL_UNSUPPORTED` naming layer and op when one cannot be differentiated.
 */
export function trainingStep(
  model: tf.LayersModel,
  optimizer: tf.Optimizer,
  { xs, labels }: Batch,
  lossFunction: LossFunction,
  proximal?: ProximalTerm,
): Score {
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const shape = model.inputs[0]?.shape.slice(1) as number[]
  let score!: Score
  const objective = () => {
    const outputs = model.apply(tf.tensor(xs, [labels.length, ...shape]), { training: true }) as tf.Tensor2D
    score = lossFunction(outputs.dataSync<'float32'>(), labels, outputs.shape[1])
    // Not the loss itself, but a scalar with the loss's gradient: d/dz of sum(z * g) is g.
    const loss = tf.sum(tf.mul(outputs, tf.tensor(score.gradient, outputs.shape)))
    return tf.addN([loss, ...model.calculateLosses()]) as tf.Scalar // the others are the regularisers' terms
  }
  tf.tidy(() => {
    try {
      const { grads } = tf.variableGrads(objective, weights)
      optimizer.applyGradients(proximal?.addedTo(grads) ?? grads)
    } catch (cause) {
      const layer = untrainableLayer(model)
      if (layer === undefined) throw cause
      throw new FedweaveError('FL_MODEL_UNSUPPORTED', `layer ${JSON.stringify(layer.name)}: ${layer.reason}`, { cause })
    }
  })
  return score
}
