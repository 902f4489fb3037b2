import { metricsOf } from '@fedweave/client/training'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cohortSize } from '../../../simulations/src/engine/config.ts'
import { accuracyFor, addMetrics } from '../../../simulations/src/engine/judge.ts'
import { PlainSum } from '../../../simulations/src/engine/plain-sum.ts'
import { taskOf } from '../../../simulations/src/engine/task.ts'
import { nearest } from '../../../simulations/src/nearest.ts'
import { cloudsConfig } from './scenarios-for-tests.ts'

describe('a plain sum', () => {
  test('is the same to the last bit in whatever order its terms arrive', () => {
    const terms = Array.from({ length: 7 }, (_, i) => ({
      delta: Float32Array.of(1 / (i + 3), 1e-8 * i, -(i ** 2)),
      weight: i + 1,
    }))
    const meanOf = (order: readonly number[]) => {
      const sum = new PlainSum(3, 1000)
      for (const place of order) {
        const { delta, weight } = terms[place] as (typeof terms)[number]
        sum.add(place, delta.slice(), weight)
      }
      return sum.mean()
    }
    const inOrder = meanOf([0, 1, 2, 3, 4, 5, 6])
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7, maxLength: 7 })
    fc.assert(
      fc.property(order, (places) => {
        expect(meanOf(places)).toEqual(inOrder)
      }),
    )
    expect(inOrder.weight).toBe(28)
  })

  test('is the weighted mean of what is clipped to the bound', () => {
    const sum = new PlainSum(2, 1)
    sum.add(0, Float32Array.of(0.25, 0), 3)
    sum.add(1, Float32Array.of(0, -100), 1)
    const { pseudoGradient } = sum.mean()
    expect(pseudoGradient[0]).toBe(0.1875)
    expect(pseudoGradient[1]).toBeCloseTo(-0.25, 6)
  })

  test('does not answer while one is missing, and takes none of another size', () => {
    const sum = new PlainSum(1, 1)
    sum.add(1, Float32Array.of(0), 1)
    expect(() => sum.mean()).toThrow('place 0 was never added')
    expect(() => sum.add(0, new Float32Array(2), 1)).toThrow(expect.objectContaining({ code: 'FL_UPDATE_SHAPE' }))
  })
})

describe('judging', () => {
  const confusion = Uint32Array.of(8, 2, 5, 5)

  test('of pieces adds up to judging the whole', () => {
    const parts = [Uint32Array.of(3, 2, 0, 5), Uint32Array.of(5, 0, 5, 0)].map((part, i) => metricsOf(part, 2, 10 * (i + 1)))
    expect(addMetrics(parts, 2)).toEqual(metricsOf(confusion, 2, 30))
  })

  test('for a client weighs the recall of each class by what the client has', () => {
    const metrics = metricsOf(confusion, 2, 0)
    expect(accuracyFor(metrics, [10, 0])).toBe(0.8)
    expect(accuracyFor(metrics, [0, 3])).toBe(0.5)
    expect(accuracyFor(metrics, [5, 5])).toBeCloseTo(0.65, 12)
    expect(accuracyFor(metrics, [0, 0])).toBe(0)
  })
})

test('a round asks max(C x K, 1) clients, and three at least where masks need company', () => {
  expect(cohortSize({ clients: 100, fraction: 0.1, secure: 'on' })).toBe(10)
  expect(cohortSize({ clients: 100, fraction: 0, secure: 'off' })).toBe(1)
  expect(cohortSize({ clients: 100, fraction: 0, secure: 'on' })).toBe(3)
  expect(cohortSize({ clients: 2, fraction: 1, secure: 'off' })).toBe(2)
})

test('clients with so many examples that their sum would wrap count them by more than one', () => {
  const model = { topology: '{}', inputShape: [1], classes: 2, tensors: [{ name: 'w', shape: [1] }] }
  const weights = new Float32Array(1)
  const unitOf = (examples: number, clients: number) =>
    taskOf(cloudsConfig({ clients, fraction: 1 }), model, weights, examples, '00'.repeat(32))
  expect(unitOf(600, 10)).toMatchObject({ unit: 1, config: { secureAggregation: { maxWeight: 600 } } })
  const large = unitOf(6000, 100)
  expect(large.unit).toBe(10) // 600,000 over the 65,538 that 16 value bits leave of 32
  expect(large.config.secureAggregation.maxWeight).toBe(600)
})

test('a name is guessed from few typing errors, and not from many', () => {
  expect(nearest('mnsit', ['mnist', 'fashion'])).toBe('mnist')
  expect(nearest('MNIST', ['mnist', 'fashion'])).toBe('mnist')
  expect(nearest('zzzzzzzzz', ['mnist', 'fashion'])).toBeUndefined()
})
