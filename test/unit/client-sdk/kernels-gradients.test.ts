import { installKernels } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { beforeAll, describe, expect, test } from 'vitest'
import { batch, mcmahanCnn, referenceCnn } from './kernels-models.ts'

/** Gradients of the mean cross-entropy for every weight, on one image. */
function gradients(build: () => tf.Sequential): Float32Array[] {
  return tf.tidy(() => {
    const [model, { x, y }] = [build(), batch(1)]
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
    const loss = () => tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true }) as tf.Tensor).mean() as tf.Scalar
    const { grads } = tf.variableGrads(loss, weights)
    const values = weights.map(({ name }) => grads[name]?.dataSync() as Float32Array)
    model.dispose()
    return values
  })
}

describe.each([
  ['the reference CNN', referenceCnn],
  ['the CNN of McMahan et al. 2017', mcmahanCnn],
])('%s', (_, build) => {
  let expected: Float32Array[]

  beforeAll(async () => {
    await tf.setBackend('cpu')
    expected = gradients(build)
  })

  test.each(['auto', 'ops'] as const)('has the gradients of the cpu backend with kernels %s', async (variant) => {
    await tf.setBackend('wasm')
    await installKernels({ variant })
    const actual = gradients(build)
    expected.forEach((values, i) => {
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const worst = values.reduce((most, value, j) => Math.max(most, Math.abs(value - (actual[i]?.[j] as number))), 0)
      expect(scale).toBeGreaterThan(0)
      expect(worst / scale).toBeLessThan(2e-5)
    })
  })
})
