import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noisy, seed, useKernels } from './against-cpu.ts'

const small = fc.integer({ min: 1, max: 3 })
const side = fc.integer({ min: 4, max: 11 })

const depthwise = fc.record({
  seed,
  images: small,
  height: side,
  width: side,
  filter: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  stride: small,
  pad: fc.constantFrom('same' as const, 'valid' as const),
  channels: fc.integer({ min: 1, max: 10 }),
  multiplier: small,
})

describe.each(['auto', 'ops'] as const)('depthwise convolutions with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  test('both gradients are those of the cpu backend at any size, stride, padding and multiplier', () =>
    fc.assert(
      fc.asyncProperty(depthwise, ({ seed: s, images, height, width, filter, stride, pad, channels, multiplier }) =>
        expectSameOnBoth(() => {
          const x = noisy([images, height, width, channels], s)
          const f = noisy([...filter, channels, multiplier], s + 1)
          const loss = (a: tf.Tensor, b: tf.Tensor) =>
            tf
              .depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad)
              .square()
              .sum()
          return tf.grads(loss)([x, f])
        }),
      ),
      { numRuns: 60 },
    ))
})
