import { vowels } from '../data/vowel.ts'
import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { dense, sequential } from './topology.ts'

export const scenario: Scenario = {
  name: 'vowel-speakers',
  title: 'Eleven vowels by fifteen speakers',
  summary: "Deterding's vowels, each speaker a client, tested on their last two times",
  defaults: {
    ...USUAL,
    clients: 15,
    fraction: 1,
    rounds: 150,
    plan: { epochs: 5, batchSize: 11, optimizer: 'sgd', learningRate: 0.1 },
    partition: { name: 'natural' },
    baselines: true,
  },
  metric: ACCURACY,
  load: vowels,
  topology: ({ train }, seed) =>
    sequential('vowels', train.shape, [dense('hidden', 64, 'relu'), dense('output', 11, 'softmax')], seed),
}
