import { beijingAir } from '../data/beijing-air.ts'
import { USUAL } from './defaults.ts'
import { MACRO_F1 } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

/** A forecast of classes: local training minimises cross-entropy, and has no mean squared error for micrograms. */
export const scenario: Scenario = {
  name: 'smart-city',
  title: 'Air quality six hours ahead at twelve stations',
  summary: 'Beijing air quality: class of PM2.5 six hours ahead, twelve stations, tested on the years after',
  defaults: {
    ...USUAL,
    clients: 12,
    fraction: 1,
    rounds: 40,
    plan: { epochs: 1, batchSize: 64, optimizer: 'adam', learningRate: 0.003 },
    partition: { name: 'natural' },
    baselines: true,
  },
  metric: MACRO_F1,
  load: beijingAir,
  topology: ({ train }, seed) =>
    sequential(
      'air',
      train.shape,
      [dense('hidden1', 64, 'relu'), dense('hidden2', 32, 'relu'), dense('output', 5, 'softmax')],
      seed,
    ),
}
