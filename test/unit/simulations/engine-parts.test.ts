import { metricsOf, regressionMetricsOf } from '@fedweave/client/training'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configOf } from '../../../simulations/src/commands/simulate-config.ts'
import { cohortSize } from '../../../simulations/src/engine/config.ts'
import { accuracyFor, addErrors, addMetrics } from '../../../simulations/src/engine/judge.ts'
import { PlainSum } from '../../../simulations/src/engine/plain-sum.ts'
import { classesOf, countRanges, rangesOf } from '../../../simulations/src/engine/ranges.ts'
import { taskOf } from '../../../simulations/src/engine/task.ts'
import { nearest } from '../../../simulations/src/nearest.ts'
import { ACCURACY, reaches, rmseIn } from '../../../simulations/src/scenarios/metrics.ts'
import { clouds, cloudsConfig, slope } from './scenarios-for-tests.ts'

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

  test('of pieces of a forecast adds up to judging the whole', () => {
    const parts = [regressionMetricsOf(3, 12, 5), regressionMetricsOf(1, 4, 2)]
    expect(addErrors(parts)).toEqual(regressionMetricsOf(4, 16, 7))
  })

  test('for a client weighs the recall of each class by what the client has', () => {
    const metrics = metricsOf(confusion, 2, 0)
    expect(accuracyFor(metrics, [10, 0])).toBe(0.8)
    expect(accuracyFor(metrics, [0, 3])).toBe(0.5)
    expect(accuracyFor(metrics, [5, 5])).toBeCloseTo(0.65, 12)
    expect(accuracyFor(metrics, [0, 0])).toBe(0)
  })
})

describe('numbers that are forecast', () => {
  const forecast = {
    unit: 'm',
    mean: 10,
    deviation: 2,
    bounds: [8, 12],
    floor: { name: 'none', test: new Float32Array(0) },
  }
  const labels = Float32Array.of(-2, -1, 0, 1, 1.5) // 6, 8, 10, 12 and 13 m

  test('are counted by ranges, a bound itself in the lower one', () => {
    expect([...rangesOf(forecast, labels)]).toEqual([0, 0, 1, 1, 2])
    const data = { xs: new Float32Array(5), shape: [1], labels, classes: 1 }
    const federation = { train: data, test: data, classNames: ['low', 'middle', 'high'], forecast }
    expect(classesOf(federation)).toEqual({ labels: Int32Array.of(0, 0, 1, 1, 2), classes: 3 })
    expect(countRanges(forecast, labels, Float32Array.of(-2, 0, 0, 3, 3), 3)).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      [0, 0, 1],
    ])
  })

  test('where labels are classes, these are the ranges', async () => {
    const federation = await clouds.load({} as never)
    expect(classesOf(federation)).toEqual({ labels: federation.train.labels, classes: 3 })
  })

  test('have an error in their unit, which reaches a target from above, as a share does from below', () => {
    const rmse = rmseIn('m')
    const data = { xs: new Float32Array(0), shape: [1], labels, classes: 1 }
    const federation = { train: data, test: data, classNames: [], forecast }
    expect(rmse.of(regressionMetricsOf(4, 9, 0), federation)).toBe(3)
    expect([2, 3, 4].map((value) => reaches(rmse, value, 3))).toEqual([true, true, false])
    expect([0.2, 0.3, 0.4].map((value) => reaches(ACCURACY, value, 0.3))).toEqual([false, true, true])
  })

  test('may have a target above 1, which a share may not', () => {
    expect(configOf(slope, { target: '40' }).target).toBe(40)
    expect(() => configOf(clouds, { target: '40' })).toThrow(expect.objectContaining({ code: 'FL_USAGE' }))
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
