import { FedweaveError } from '@fedweave/aggregator'
import { ownData } from '../data/own.ts'
import { USUAL } from './defaults.ts'
import { ACCURACY } from './metrics.ts'
import type { Scenario } from './scenario.ts'
import { conv, dense, flatten, pool, sequential } from './topology.ts'

/** Data of one's own at `path`, which the command line gives with `--data`. */
export function ownScenario(path: unknown): Scenario {
  if (typeof path !== 'string')
    throw new FedweaveError(
      'FL_USAGE',
      'own needs --data: a CSV file, a folder with x.npy and y.npy, or one with a folder of images a class',
    )
  return {
    name: 'own',
    title: 'Data of your own',
    summary: 'a CSV file, NPY arrays or folders of images, given with --data',
    defaults: { ...USUAL, clients: 10, fraction: 1, plan: { ...USUAL.plan, learningRate: 0.05 }, baselines: true },
    metric: ACCURACY,
    holdout: 0.2,
    load: () => ownData(path),
    topology: ({ train: { shape, classes } }, seed) =>
      sequential('own', shape, [...features(shape), dense('hidden', 64, 'relu'), dense('output', classes, 'softmax')], seed),
  }
}

/** Images go through a convolution, anything else is one list of numbers. */
function features(shape: readonly number[]) {
  if (shape.length === 1) return []
  const [height = 0, width = 0] = shape
  return shape.length === 3 && Math.min(height, width) >= 8 ? [conv('conv', 16, 3), pool('pool'), flatten()] : [flatten()]
}
