import { describe, expect, test } from 'vitest'
import { fedAvg } from '../../../aggregator/src/strategies/fedavg.ts'
import type { Strategy } from '../../../aggregator/src/strategies/strategy.ts'
import { strategyContract } from '../../../aggregator/src/testing/strategy-contract.ts'

describe('fedavg as a Strategy', () => {
  for (const { name, run } of strategyContract(fedAvg)) test(name, run)
})

test('fedavg gives the weighted mean of the weights of its clients', () => {
  const global = Float32Array.of(1, -2)
  const clients = [
    { weight: 1, weights: [2, -2] },
    { weight: 3, weights: [6, 2] },
  ]
  const mean = (i: number) => clients.reduce((sum, c) => sum + c.weight * (c.weights[i] as number), 0) / 4
  const pseudoGradient = global.map((value, i) => mean(i) - value)
  expect(fedAvg().apply(global, pseudoGradient, null).weights).toEqual(Float32Array.of(mean(0), mean(1)))
})

test.each<[string, Partial<Strategy<null>>]>([
  [
    'works in place',
    {
      apply: (weights, gradient, state) => ({
        weights: weights.map((w, i) => w + (gradient[i] as number), weights.fill(0)),
        state,
      }),
    },
  ],
  ['returns its argument', { apply: (weights, _, state) => ({ weights, state }) }],
  ['descends', { apply: (weights, gradient, state) => ({ weights: weights.map((w, i) => w - (gradient[i] as number)), state }) }],
])('the contract rejects a strategy that %s', (_, change) => {
  const broken = strategyContract(() => ({ ...fedAvg(), ...change }))
  const failures = broken.filter(({ run }) => {
    try {
      run()
      return false
    } catch {
      return true
    }
  })
  expect(failures).not.toEqual([])
})
