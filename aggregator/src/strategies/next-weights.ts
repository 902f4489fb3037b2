import type { TaskConfig } from '../task/config.ts'
import { type CohortMean, combineCohorts } from './combine.ts'
import { fedAvg } from './fedavg.ts'

/**
 * The weights that a round commits: the mean deltas of its cohorts combined, and the strategy applied. Pure, and the same on
 * every machine: a server commits with it, and whoever checks its log replays with it. Throws `FL_UPDATE_SHAPE`.
 */
export function nextWeights(
  { strategy }: Pick<TaskConfig, 'strategy'>,
  weights: Float32Array,
  means: readonly CohortMean[],
): Float32Array {
  return fedAvg().apply(weights, combineCohorts(strategy.combine ?? 'mean', means), null).weights
}
