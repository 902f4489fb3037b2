import { heartDisease } from '../data/heart-disease.ts'
import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

/** FLamby's Fed-Heart-Disease: logistic regression, 15 rounds of 100 updates on batches of 4, SGD 0.01. */
export const scenario: Scenario = {
  name: 'healthcare',
  title: 'Heart disease in four hospitals',
  summary: 'Fed-Heart-Disease of the FLamby benchmark: four real hospitals, logistic regression',
  defaults: {
    ...USUAL,
    clients: 4,
    fraction: 1,
    rounds: 15,
    plan: { epochs: 1000, batchSize: 4, optimizer: 'sgd', learningRate: 0.01, maxSteps: 100 },
    partition: { name: 'natural' },
    baselines: true,
  },
  metric: ACCURACY,
  load: heartDisease,
  topology: (_federation, seed) => sequential('logistic_regression', [13], [dense('output', 2, 'softmax')], seed),
}
