import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../client-sdk/src/training/random.ts'
import { meanSquaredError } from '../../../client-sdk/src/training/squared-error.ts'

const random = new Random(5)
const noise = (length: number) => Float32Array.from({ length }, () => random.uint32() / 2 ** 31 - 1)

describe('meanSquaredError', () => {
  it('sums squared and absolute errors, with 2 (estimate - label) / rows as its gradient', () => {
    const score = meanSquaredError(Float32Array.of(1, -2, 5), Float32Array.of(4, -2, 1))
    expect(score).toEqual({ loss: 9 + 16, absolute: 3 + 4, gradient: Float32Array.of(-2, 0, 8 / 3) })
  })

  it("agrees with TensorFlow.js's loss and its gradient", async () => {
    await tf.setBackend('cpu')
    const [estimates, labels] = [noise(33), noise(33)]
    const loss = (x: tf.Tensor) => tf.losses.meanSquaredError(tf.tensor1d(labels), x) as tf.Scalar
    const score = meanSquaredError(estimates, labels)
    expect(score.loss / 33).toBeCloseTo(loss(tf.tensor1d(estimates)).dataSync()[0] as number, 6)
    const expected = tf.grad(loss)(tf.tensor1d(estimates)).dataSync()
    for (const [i, g] of score.gradient.entries()) expect(g).toBeCloseTo(expected[i] as number, 7)
  })

  it('has the gradient that central differences give', () => {
    const [estimates, labels] = [noise(8), noise(8)]
    const { gradient } = meanSquaredError(estimates, labels)
    const step = 2 ** -10 // exact in float32
    for (let i = 0; i < 8; i++) {
      const at = (change: number) =>
        meanSquaredError(
          estimates.map((x, j) => (j === i ? x + change : x)),
          labels,
        ).loss / 8
      expect((at(step) - at(-step)) / (2 * step)).toBeCloseTo(gradient[i] as number, 4)
    }
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no finite loss where an estimate is %d', (estimate) => {
    expect(meanSquaredError(Float32Array.of(0, estimate), Float32Array.of(0, 0)).loss).not.toSatisfy(Number.isFinite)
  })
})
