import {
  type CohortMean,
  decodeAggregate,
  equalBytes,
  type JournalEntry,
  nextWeights,
  type TaskConfig,
  toHex,
} from '@fedweave/aggregator'
import { digestOf, modelHash } from '../engine/task.ts'
import type { Source } from './source.ts'

export interface ModelReport {
  /** Models that are kept, the initial one included. */
  readonly models: number
  /** Of them, those that were computed again from the model before and the sums of the round. */
  readonly replayed: number
  readonly problems: readonly string[]
}

/**
 * Checks what is kept of the models that a journal names: that the bytes are those, and, where the model before and the
 * sums of the round are kept too, that the sums and the strategy give that model. `entries`: opened, of a journal that holds.
 */
export async function verifyModels(
  config: TaskConfig,
  entries: readonly JournalEntry[],
  kept: NonNullable<Source['kept']>,
): Promise<ModelReport> {
  const problems: string[] = []
  let models = 0
  let replayed = 0
  let before: Float32Array | undefined
  for (const entry of entries) {
    const problem = (what: string) => void problems.push(`entry ${entry.index}: ${what}`)
    const model = await kept.model(toHex(entry.modelAfter))
    const whole = model !== undefined && equalBytes(digestOf(model), entry.modelAfter)
    if (model !== undefined) models += 1
    if (model === undefined && entry.index === entries.length - 1) problem('the model is missing, although it is the last one')
    if (model !== undefined && !whole) problem(`the bytes kept as model ${toHex(entry.modelAfter)} are others`)
    const means = before !== undefined && whole ? await meansOf(entry, kept, problem) : undefined
    if (before !== undefined && means !== undefined) {
      replayed += 1
      if (!equalBytes(modelHash(nextWeights(config, before, means)), entry.modelAfter))
        problem('the model does not follow from the one before and the sums of the round')
    }
    before = whole ? new Float32Array(model.slice().buffer) : undefined
  }
  return { models, replayed, problems }
}

/** What the cohorts of that round summed to; undefined where it is not all kept, or is not what the journal names. */
async function meansOf(
  { aggregates, weight }: JournalEntry,
  kept: NonNullable<Source['kept']>,
  problem: (what: string) => void,
): Promise<readonly CohortMean[] | undefined> {
  const means: CohortMean[] = []
  for (const hash of aggregates) {
    const bytes = await kept.aggregate(toHex(hash))
    if (bytes === undefined) return undefined
    if (!equalBytes(digestOf(bytes), hash)) {
      problem(`the bytes kept as aggregate ${toHex(hash)} are others`)
      return undefined
    }
    means.push(decodeAggregate(bytes))
  }
  const total = means.reduce((sum, mean) => sum + mean.weight, 0)
  if (total !== weight) problem(`its sums weigh ${total}, the entry says ${weight}`)
  return means
}
