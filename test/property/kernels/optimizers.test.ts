import { Adam, AdamW, Momentum, Sgd } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noisy, seed, useKernels } from './against-cpu.ts'

/** Five steps on a quadratic bowl, different in every coordinate. */
function descend(optimizer: tf.Optimizer, size: number, s: number): tf.Tensor {
  const weights = tf.variable(noisy([size], s))
  const [target, steepness] = [noisy([size], s + 1), noisy([size], s + 2).abs()]
  for (let i = 0; i < 5; i++) {
    optimizer.minimize(() => weights.sub(target).square().mul(steepness).sum() as tf.Scalar, false, [weights])
  }
  const result = weights.clone()
  weights.dispose()
  optimizer.dispose()
  return result
}

const onWasm = () => tf.getBackend() === 'wasm'

/** Ours on the wasm backend beside tfjs's own, or beside our own formula where tfjs has none, on the cpu backend. */
const pairs: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => (onWasm() ? new Sgd({ learningRate: 0.1 }) : tf.train.sgd(0.1)),
  momentum: () => (onWasm() ? new Momentum({ learningRate: 0.1 }) : tf.train.momentum(0.1, 0.9)),
  nesterov: () =>
    onWasm() ? new Momentum({ learningRate: 0.1, momentum: 0.8, useNesterov: true }) : tf.train.momentum(0.1, 0.8, true),
  adam: () => (onWasm() ? new Adam({ learningRate: 0.05 }) : tf.train.adam(0.05)),
  adamw: () => new AdamW({ learningRate: 0.05, weightDecay: 0.1 }),
}

describe.each(['auto', 'ops'] as const)('optimisers with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  test.each(Object.keys(pairs))('%s moves the weights as the cpu backend does', (name) =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), seed, (size, s) =>
        expectSameOnBoth(() => descend(pairs[name]?.() as tf.Optimizer, size, s)),
      ),
      { numRuns: 15 },
    ),
  )
})
