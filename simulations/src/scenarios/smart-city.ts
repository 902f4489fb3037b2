import { beijingAir, UNIT } from '../data/beijing-air.ts'
import { USUAL } from './defaults.ts'
import { rmseIn } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

export const scenario: Scenario = {
  name: 'smart-city',
  title: 'Air quality six hours ahead at twelve stations',
  summary: 'Beijing air quality: PM2.5 six hours ahead, twelve stations, tested on the years after',
  defaults: {
    ...USUAL,
    clients: 12,
    fraction: 1,
    rounds: 60,
    plan: { epochs: 1, batchSize: 256, optimizer: 'adam', learningRate: 0.01, loss: 'meanSquaredError' },
    partition: { name: 'natural' },
    baselines: true,
  },
  metric: rmseIn(UNIT),
  load: beijingAir,
  topology: ({ train }, seed) => airModel(train.shape, [64], seed),
}

/** A regressor with such hidden layers. */
export function airModel(inputShape: readonly number[], hidden: readonly number[], seed: number): string {
  const layers = hidden.map((units, i) => dense(`hidden${i + 1}`, units, 'relu'))
  return sequential('air', inputShape, [...layers, dense('output', 1, 'linear')], seed)
}
