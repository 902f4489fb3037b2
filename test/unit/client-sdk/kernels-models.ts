import * as tf from '@tensorflow/tfjs'

/** Reproducible values in [-scale, scale). */
export function noisy(shape: number[], seed: number, scale: number): tf.Tensor {
  let state = seed
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0 // Numerical Recipes' ranqd1
    return ((state >>> 8) / 2 ** 23 - 1) * scale
  })
  return tf.tensor(values, shape)
}

/** The reference CNN, with the same weights at every call. */
export function referenceCnn(): tf.Sequential {
  return withFixedWeights([
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 128, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ])
}

/** The CNN of McMahan et al. 2017, section 3. */
export function mcmahanCnn(): tf.Sequential {
  return withFixedWeights([
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 5, padding: 'same', activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ filters: 64, kernelSize: 5, padding: 'same', activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 512, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ])
}

function withFixedWeights(layers: tf.layers.Layer[]): tf.Sequential {
  const model = tf.sequential({ layers })
  tf.tidy(() => {
    model.setWeights(model.getWeights().map(({ shape }, i) => noisy(shape, i + 1, 0.08)))
  })
  return model
}

/** `size` noisy images, the i-th of class i modulo 10. */
export function batch(size: number): { x: tf.Tensor; y: tf.Tensor } {
  const digits = Array.from({ length: size }, (_, i) => i % 10)
  return { x: noisy([size, 28, 28, 1], 99, 1), y: tf.oneHot(digits, 10) }
}
