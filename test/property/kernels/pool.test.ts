import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noise, noisy, seed, useKernels } from './against-cpu.ts'

const side = fc.integer({ min: 4, max: 11 })
const window = fc.integer({ min: 1, max: 4 })

const pooling = fc.record({
  seed,
  noise,
  images: fc.integer({ min: 1, max: 3 }),
  height: side,
  width: side,
  window: fc.oneof(fc.constant<[number, number]>([2, 2]), fc.tuple(window, window)),
  strides: fc.oneof(fc.constant<[number, number]>([2, 2]), fc.tuple(window, window)),
  pad: fc.constantFrom('same' as const, 'valid' as const),
  channels: fc.integer({ min: 1, max: 9 }),
})

describe.each(['auto', 'ops'] as const)('pooling gradients with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  test.each([
    ['max', tf.maxPool],
    ['average', tf.avgPool],
  ] as const)('of %s pooling are those of the cpu backend, with ties and with no positive value', (_, pool) =>
    fc.assert(
      fc.asyncProperty(pooling, (p) =>
        expectSameOnBoth(() => {
          const x = noisy([p.images, p.height, p.width, p.channels], p.seed, p.noise)
          const loss = (a: tf.Tensor) =>
            pool(a as tf.Tensor4D, p.window, p.strides, p.pad)
              .square()
              .sum()
          return tf.grad(loss)(x)
        }),
      ),
      { numRuns: 80 },
    ),
  )
})
