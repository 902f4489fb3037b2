import { combineCohorts, hash, recordEvaluation, type Strategy } from '@fedweave/aggregator'
import type { Evaluator } from '../evaluation/evaluator.ts'
import type { TaskHistory } from './history.ts'
import type { CohortSum } from './round-set.ts'

/**
 * From the sums of a round's cohorts to the next committed model: combine, apply the strategy, judge on held-out data,
 * make it durable. Returns the signed journal entry.
 */
export async function commitRound(
  history: TaskHistory,
  strategy: Strategy<unknown>,
  evaluator: Evaluator | undefined,
  sums: readonly CohortSum[],
): Promise<Uint8Array> {
  const { config } = history
  const means = sums.map(({ aggregate }) => aggregate)
  const pseudoGradient = combineCohorts(config.strategy.combine ?? 'mean', means)
  const { weights } = strategy.apply(history.weights, pseudoGradient, strategy.init(pseudoGradient.length))
  const evaluation = await evaluator?.evaluate(config.model, weights)
  const [{ state }] = sums as readonly [CohortSum]
  return history.commit(
    {
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
      evaluation: evaluation && recordEvaluation(evaluation),
      strategyState: hash('fw1/strategy-state', strategy.name),
    },
    weights,
  )
}

/** The weighted mean of what the cohorts' counters say; nothing when one of them holds garbage. */
function meanCounters(sums: readonly CohortSum[]) {
  const counters = sums.flatMap(({ aggregate }) => aggregate.counters ?? [])
  if (counters.length < sums.length) return undefined
  const total = counters.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (of: (c: (typeof counters)[number]) => number) => counters.reduce((sum, c) => sum + of(c) * c.weight, 0) / total
  return { loss: mean((c) => c.loss), accuracy: mean((c) => c.accuracy), clippedFraction: mean((c) => c.clippedFraction) }
}
