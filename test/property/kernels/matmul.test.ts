import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import { expectSameOnBoth, noisy, seed, useKernels } from './against-cpu.ts'

const size = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) }, fc.constantFrom(31, 64, 257, 300))
const batches = fc.constantFrom<readonly [number[], number[]]>(
  [[], []],
  [[3], [3]],
  [[1], [3]],
  [[3], [1]],
  [
    [2, 3],
    [2, 3],
  ],
)
const product = fc.record({ seed, m: size, k: size, n: size, transposeA: fc.boolean(), transposeB: fc.boolean(), batches })

describe.each(['auto', 'ops'] as const)('matrix products with kernels %s', (variant) => {
  beforeAll(() => useKernels({ variant }))

  test('are those of the cpu backend for any sizes, batch axes and transposed sides', () =>
    fc.assert(
      fc.asyncProperty(product, ({ seed: s, m, k, n, transposeA, transposeB, batches: [left, right] }) =>
        expectSameOnBoth(() => {
          // One sign: a single product that cancels has no scale to measure the rounding error by.
          const a = noisy([...left, ...(transposeA ? [k, m] : [m, k])], s, 'negative')
          const b = noisy([...right, ...(transposeB ? [n, k] : [k, n])], s + 1, 'negative')
          return tf.matMul(a, b, transposeA, transposeB)
        }),
      ),
      { numRuns: 120 },
    ))

  test('fused with bias and activation are those of the cpu backend', () =>
    fc.assert(
      fc.asyncProperty(product, fc.constantFrom('linear', 'relu', 'elu'), fc.boolean(), (p, activation, withBias) =>
        expectSameOnBoth(() =>
          tf.fused.matMul({
            a: noisy(p.transposeA ? [p.k, p.m] : [p.m, p.k], p.seed, 'negative'),
            b: noisy(p.transposeB ? [p.n, p.k] : [p.k, p.n], p.seed + 1, 'negative'),
            transposeA: p.transposeA,
            transposeB: p.transposeB,
            activation: activation as 'relu',
            ...(withBias ? { bias: noisy([p.n], p.seed + 2) } : {}),
          }),
        ),
      ),
      { numRuns: 60 },
    ))
})
