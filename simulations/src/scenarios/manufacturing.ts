import { ai4i } from '../data/ai4i.ts'
import { USUAL } from './defaults.ts'
import { shareMetric } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

export const scenario: Scenario = {
  name: 'manufacturing',
  title: 'Machine failures in three plants',
  summary: 'AI4I predictive maintenance, three plants by quality of the product, 3.4 % failures',
  defaults: {
    ...USUAL,
    clients: 3,
    fraction: 1,
    rounds: 40,
    plan: { epochs: 2, batchSize: 32, optimizer: 'adam', learningRate: 0.003 },
    partition: { name: 'natural' },
    baselines: true,
  },
  metric: shareMetric('F1 of failures', ({ perClass }) => perClass[1]?.f1 ?? 0),
  holdout: 0.3,
  load: ai4i,
  topology: ({ train }, seed) =>
    sequential(
      'maintenance',
      train.shape,
      [dense('hidden1', 32, 'relu'), dense('hidden2', 16, 'relu'), dense('output', 2, 'softmax')],
      seed,
    ),
}
