import * as tf from '@tensorflow/tfjs'
import { describeModel } from '../../../client-sdk/src/tfjs/model.ts'

/** Layers JSON of a sequential model. */
export function topologyOf(...layers: tf.layers.Layer[]): string {
  const model = tf.sequential({ layers })
  try {
    return JSON.stringify(model.toJSON(null, false))
  } finally {
    model.dispose()
  }
}

export const seeded = (seed: number) => tf.initializers.glorotUniform({ seed })

/** Spec and initial weights of a sequential model. */
export function describeLayers(...layers: tf.layers.Layer[]): ReturnType<typeof describeModel> {
  return describeModel(topologyOf(...layers))
}

/** Softmax regression from 3 values to 2 classes: 6 + 2 parameters. */
export function linearModel(regularizer?: ReturnType<typeof tf.regularizers.l2>): ReturnType<typeof describeModel> {
  return describeLayers(
    tf.layers.dense({
      name: 'output',
      inputShape: [3],
      units: 2,
      activation: 'softmax',
      kernelInitializer: seeded(1),
      ...(regularizer && { kernelRegularizer: regularizer }),
    }),
  )
}
