import type { TrainingPlan } from '@fedweave/aggregator'
import { expect, it } from 'vitest'
import { learningRateAt } from '../../../client-sdk/src/training/learning-rate.ts'

const rates = (decay: TrainingPlan['decay'], steps: number) =>
  Array.from({ length: steps }, (_, i) =>
    learningRateAt({ epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 8, ...(decay && { decay }) }, i + 1, steps),
  )

it('stays without a decay', () => {
  expect(rates(undefined, 3)).toEqual([8, 8, 8])
})

it('falls by the factor after every so many updates', () => {
  expect(rates({ kind: 'step', every: 2, factor: 0.5 }, 7)).toEqual([8, 8, 4, 4, 2, 2, 1])
  expect(rates({ kind: 'step', every: 9, factor: 0.5 }, 3)).toEqual([8, 8, 8])
})

it('falls along half a cosine wave from the full rate to almost nothing', () => {
  const cosine = rates({ kind: 'cosine' }, 6)
  for (const [done, rate] of cosine.entries()) expect(rate).toBeCloseTo(4 * (1 + Math.cos((Math.PI * done) / 6)), 13)
  expect(cosine[0]).toBe(8)
  expect(cosine[3]).toBeCloseTo(4, 14)
  expect(rates({ kind: 'cosine' }, 1)).toEqual([8])
})
