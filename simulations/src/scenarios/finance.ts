import { creditDefault } from '../data/credit-default.ts'
import { USUAL } from './defaults.ts'
import { MACRO_F1 } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

export const scenario: Scenario = {
  name: 'finance',
  title: 'Credit default at ten banks',
  summary: 'default of credit card clients, ten banks by Dirichlet with alpha 3',
  defaults: {
    ...USUAL,
    clients: 10,
    fraction: 1,
    rounds: 40,
    plan: { epochs: 1, batchSize: 32, optimizer: 'sgd', learningRate: 0.05 },
    partition: { name: 'dirichlet', alpha: 3, 'min-size': 100 },
    baselines: true,
  },
  metric: MACRO_F1,
  holdout: 0.2,
  load: creditDefault,
  topology: ({ train }, seed) =>
    sequential('credit', train.shape, [dense('hidden', 32, 'relu'), dense('output', 2, 'softmax')], seed),
}
