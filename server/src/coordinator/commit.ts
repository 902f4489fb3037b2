import { type FedweaveError, hash, nextWeights } from '@fedweave/aggregator'
import type { Evaluator } from '../evaluation/evaluator.ts'
import type { TaskHistory } from './history.ts'
import type { CohortSum } from './round-set.ts'

/** Of an entry whose model nobody judged. */
const UNKNOWN = { accuracy: undefined, recall: undefined, rmse: undefined, mae: undefined }

/**
 * From the sums of a round's cohorts to the next committed model: combine, apply the strategy, judge on held-out data,
 * make it durable. Returns the signed journal entry.
 */
export async function commitRound(
  history: TaskHistory,
  evaluator: Evaluator | undefined,
  sums: readonly CohortSum[],
  warn: (message: string) => void,
): Promise<Uint8Array> {
  const { config } = history
  const means = sums.map(({ aggregate }) => aggregate)
  const weights = nextWeights(config, history.weights, means)
  const evaluation = await evaluator?.evaluate(config.model, weights).catch((error: FedweaveError) => {
    if (error.code !== 'FL_SERVER_FAULT') throw error
    warn(`the new model was not evaluated: ${error.message}`) // its clients have given shares away: the round cannot be run again
    return undefined
  })
  const [{ state }] = sums as readonly [CohortSum]
  const commitment = {
    round: state.facts.round,
    cohorts: sums.map(({ state: { facts, members, active, survivors, confirms } }) => ({
      roster: facts.roster,
      members,
      active,
      survivors,
      transcripts: [...confirms].map(([id, { signature }]) => ({ id, signature })),
    })),
    weight: means.reduce((sum, { weight }) => sum + weight, 0),
    training: meanCounters(sums),
    uploadBytes: Math.max(...sums.map(({ uploadBytes }) => uploadBytes)),
    evaluation: evaluation && { ...UNKNOWN, ...evaluation },
    privacy: undefined, // no strategy adds noise
    strategyState: hash('fw1/strategy-state', config.strategy.name),
  }
  return history.commit(commitment, means, weights)
}

/** The weighted mean of what the cohorts' counters say; nothing when one of them holds garbage. */
function meanCounters(sums: readonly CohortSum[]) {
  const counters = sums.flatMap(({ aggregate }) => aggregate.counters ?? [])
  if (counters.length < sums.length) return undefined
  const total = counters.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (of: (c: (typeof counters)[number]) => number) => counters.reduce((sum, c) => sum + of(c) * c.weight, 0) / total
  return { loss: mean((c) => c.loss), accuracy: mean((c) => c.accuracy), clippedFraction: mean((c) => c.clippedFraction) }
}
