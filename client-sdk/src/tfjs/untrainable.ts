import * as tf from '@tensorflow/tfjs'
import { layersOf } from './layers.ts'

/**
 * The first layer that cannot be run or differentiated on this backend, with TensorFlow.js's reason, which names the op.
 * Tries each layer alone; for use after a training step has failed, whose own error names no layer.
 */
export function untrainableLayer(model: tf.LayersModel): { name: string; reason: string } | undefined {
  for (const layer of layersOf(model)) {
    const symbols = [layer.input].flat()
    const inputs = symbols.map(({ shape }) => tf.variable(tf.ones(shape.map((side) => side ?? 1))))
    const learned = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
    learned.push(...inputs.filter((_, i) => !model.inputs.includes(symbols[i] as tf.SymbolicTensor))) // data needs no gradient
    const objective = () =>
      tf.sum(layer.apply(inputs.length === 1 ? (inputs[0] as tf.Variable) : inputs) as tf.Tensor) as tf.Scalar
    try {
      tf.tidy(() => {
        if (learned.length > 0) tf.variableGrads(objective, learned)
        else objective()
      })
    } catch (error) {
      return { name: layer.name, reason: (error as Error).message }
    } finally {
      tf.dispose(inputs)
    }
  }
  return undefined
}
