import { STEADY } from '../engine/config.ts'
import type { Settings } from './scenario.ts'

/** What a scenario says nothing else about: McMahan's first row of Table 1, securely. */
export const USUAL: Settings = {
  seed: 1,
  clients: 100,
  fraction: 0.1,
  rounds: 30,
  plan: { epochs: 1, batchSize: 10, optimizer: 'sgd', learningRate: 0.1 },
  partition: { name: 'iid' },
  secure: 'on',
  weighting: 'examples',
  clipBound: 10,
  valueBits: 16,
  behaviour: STEADY,
  baselines: false,
}
