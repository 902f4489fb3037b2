import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noisy, seed, useKernels } from './against-cpu.ts'

const size = fc.integer({ min: 1, max: 11 })
const stride = fc.integer({ min: 1, max: 3 })
const pad = fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.nat({ max: 2 }))

const anyConvolution = fc.record({
  seed,
  images: fc.integer({ min: 1, max: 3 }),
  height: size,
  width: size,
  filter: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  strides: fc.tuple(stride, stride),
  pad,
  ci: fc.integer({ min: 1, max: 9 }),
  co: fc.integer({ min: 1, max: 18 }),
})

/** Square filters of 3 or 5 taps, stride 1 and channels in eights: these take the Winograd kernels. */
const winogradConvolution = fc.record({
  seed,
  images: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 5, max: 12 }),
  width: fc.integer({ min: 5, max: 12 }),
  filter: fc.constantFrom<[number, number]>([3, 3], [5, 5]),
  strides: fc.constant<[number, number]>([1, 1]),
  pad,
  ci: fc.constantFrom(8, 16),
  co: fc.constantFrom(8, 24),
})

const activation = fc.constantFrom('linear' as const, 'relu' as const, 'sigmoid' as const)

type Convolution = typeof anyConvolution extends fc.Arbitrary<infer T> ? T : never

/** tfjs works out the size of an output padded by a number of pixels for square filters and strides only. */
function isSound({ height, width, filter, strides, pad: around }: Convolution): boolean {
  if (around === 'same') return true
  const border = around === 'valid' ? 0 : 2 * around
  const square = filter[0] === filter[1] && strides[0] === strides[1]
  return (around === 'valid' || square) && height + border >= filter[0] && width + border >= filter[1]
}

/** The convolution and, for a loss that depends on every output, both gradients. */
function convolve({ seed: s, images, height, width, filter, strides, pad: around, ci, co }: Convolution): tf.Tensor[] {
  const x = noisy([images, height, width, ci], s) as tf.Tensor4D
  const f = noisy([...filter, ci, co], s + 1) as tf.Tensor4D
  const y = tf.conv2d(x, f, strides, around)
  const gradients = tf.grads((a, b) =>
    tf
      .conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, around)
      .square()
      .sum(),
  )
  return [y, ...gradients([x, f])]
}

describe.each(['auto', 'ops'] as const)('convolutions with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  test('output and both gradients are those of the cpu backend at any size, stride, padding and channel count', () =>
    fc.assert(
      fc.asyncProperty(anyConvolution.filter(isSound), (c) => expectSameOnBoth(() => convolve(c))),
      { numRuns: 60 },
    ))

  test('so they are where Winograd takes over', () =>
    fc.assert(
      fc.asyncProperty(winogradConvolution.filter(isSound), (c) => expectSameOnBoth(() => convolve(c))),
      { numRuns: 25 },
    ))

  test('a convolution fused with bias and activation is that of the cpu backend', () =>
    fc.assert(
      fc.asyncProperty(anyConvolution.filter(isSound), activation, fc.boolean(), (c, after, withBias) =>
        expectSameOnBoth(() =>
          tf.fused.conv2d({
            x: noisy([c.images, c.height, c.width, c.ci], c.seed) as tf.Tensor4D,
            filter: noisy([...c.filter, c.ci, c.co], c.seed + 1) as tf.Tensor4D,
            strides: c.strides,
            pad: c.pad,
            activation: after,
            ...(withBias ? { bias: noisy([c.co], c.seed + 2) } : {}),
          }),
        ),
      ),
      { numRuns: 40 },
    ))
})

test('a filter that saw no image has a gradient of zeros', async () => {
  await useKernels({})
  await expectSameOnBoth(() => {
    const x = tf.zeros<tf.Rank.R4>([0, 5, 5, 2])
    return tf.grad((f) => tf.conv2d(x, f as tf.Tensor4D, 1, 'same').sum())(noisy([3, 3, 2, 4], 1))
  })
})
