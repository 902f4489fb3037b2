import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noisy, seed, useKernels } from './against-cpu.ts'

const shape = fc.array(fc.constantFrom(1, 2, 3, 5, 16, 33), { minLength: 1, maxLength: 4 })
const reduction = shape.chain((sizes) =>
  fc.record({ seed, sizes: fc.constant(sizes), axes: fc.subarray([...sizes.keys()]), keepDims: fc.boolean() }),
)

describe('reductions', () => {
  beforeAll(() => useKernels({}))

  test.each([
    ['sum', tf.sum],
    ['mean', tf.mean],
  ] as const)('%s is that of the cpu backend over any axes', (_, reduce) =>
    fc.assert(
      fc.asyncProperty(reduction, ({ seed: s, sizes, axes, keepDims }) =>
        // One sign: a sum that cancels has no scale to measure the rounding error by.
        expectSameOnBoth(() => reduce(noisy(sizes, s, 'negative'), axes, keepDims)),
      ),
      { numRuns: 150 },
    ),
  )

  test('a sum of 100,000 terms keeps the accuracy of the cpu backend, which adds in float64', () =>
    expectSameOnBoth(() => {
      const x = noisy([25_000, 4], 7)
      return [x.sum(), x.sum(0), x.sum(1)]
    }))
})

describe.each(['auto', 'ops'] as const)('segment sums with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  const segments = fc.record({
    seed,
    rows: fc.array(fc.integer({ min: -1, max: 7 }), { minLength: 1, maxLength: 20 }),
    width: fc.constantFrom([], [1], [5], [8], [2, 3]),
  })

  test('are those of the cpu backend; ids outside the range are left out', () =>
    fc.assert(
      fc.asyncProperty(segments, ({ seed: s, rows, width }) =>
        expectSameOnBoth(() => tf.unsortedSegmentSum(noisy([rows.length, ...width], s), tf.tensor1d(rows, 'int32'), 6)),
      ),
      { numRuns: 60 },
    ))

  test('give an embedding the gradient of the cpu backend', () =>
    expectSameOnBoth(() => {
      const words = tf.tensor2d([1, 2, 2, 0, 3, 1], [2, 3], 'int32')
      return tf.grad((table) => tf.gather(table, words).square().sum())(noisy([5, 7], 3))
    }))
})
