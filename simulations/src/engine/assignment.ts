import { FedweaveError } from '@fedweave/aggregator'
import { Random, shuffleInPlace } from '@fedweave/client/training'
import { Partition } from '../partition/partition.ts'
import { partition } from '../partition/spec.ts'
import type { Federation } from '../scenarios/scenario.ts'
import type { SimulationConfig } from './config.ts'
import { classesOf } from './ranges.ts'
import { seedOf } from './seeds.ts'

/** Who trains on what and is judged by what. */
export interface Assignment {
  readonly train: Partition
  /** Each client's own rows of the test examples; absent: all are judged by the shared ones. */
  readonly test: Partition | undefined
  readonly names: readonly string[] | undefined
}

/** Deals the examples as `config` says. Throws `FL_OUT_OF_RANGE` for a partition that cannot be. */
export function assign(federation: Federation, config: SimulationConfig, holdout: number | undefined): Assignment {
  const { natural } = federation
  const classes = classesOf(federation)
  const seed = seedOf('partition', config.seed)
  const whole = partition(config.partition, { ...classes, ids: natural?.train }, config.clients, seed)
  const isNatural = config.partition.name === 'natural' && natural !== undefined
  if (holdout !== undefined) return { ...holdOut(whole, holdout, config.seed), names: isNatural ? natural.names : undefined }
  if (!isNatural) return { train: whole, test: undefined, names: undefined }
  const test = partition({ name: 'natural' }, { ...classes, ids: natural.test }, config.clients, seed) // by ids alone
  return { train: whole, test, names: natural.names }
}

/** Every client keeps that part of its rows for tests: at least one, and at least one for training. */
function holdOut(whole: Partition, part: number, seed: number): Pick<Assignment, 'train' | 'test'> {
  const [train, test]: Int32Array[][] = [[], []]
  for (let client = 0; client < whole.clients; client++) {
    const rows = Uint32Array.from(whole.rowsOf(client))
    if (rows.length < 2)
      throw new FedweaveError(
        'FL_OUT_OF_RANGE',
        `client ${client} has ${rows.length} examples, where training and test need two`,
        {
          cure: 'Take fewer clients, or a partition with a larger `min`.',
        },
      )
    shuffleInPlace(rows, new Random(seedOf('holdout', seed, client)))
    const kept = Math.min(rows.length - 1, Math.max(1, Math.round(part * rows.length)))
    test?.push(Int32Array.from(rows.subarray(0, kept)))
    train?.push(Int32Array.from(rows.subarray(kept)))
  }
  return { train: new Partition(train ?? []), test: new Partition(test ?? []) }
}
