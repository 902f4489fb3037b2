import { isRegressor, type ModelSpec, type TrainingPlan } from '@fedweave/aggregator'
import {
  type ClassificationMetrics,
  type Metrics,
  metricsOf,
  type RegressionMetrics,
  regressionMetricsOf,
} from '@fedweave/client/training'
import type { SharedData } from './messages.ts'
import type { WorkerPool } from './pool.ts'

/** Rows that one job judges: few enough to spread over workers, and the same pieces for any number of them. */
const PIECE = 640

/** What to judge, and how the model sees it. */
export interface Judging {
  readonly model: ModelSpec
  readonly plan: TrainingPlan
  readonly on: keyof SharedData
}

/** Judges weights on rows of a data set, on all lanes; the same figures for any number of them. */
export async function judgeRows(
  pool: WorkerPool,
  { model, plan, on }: Judging,
  weights: Float32Array,
  rows: Int32Array,
): Promise<Metrics> {
  const pieces = piecesOf(rows)
  const judged = new Array<Metrics>(pieces.length)
  await pool.each(pieces, async (piece, lane, i) => {
    judged[i] = await lane.ask<'judge'>({ kind: 'judge', on, rows: piece, request: { model, weights, plan } })
  })
  return isRegressor(model)
    ? addErrors(judged as RegressionMetrics[])
    : addMetrics(judged as ClassificationMetrics[], model.classes)
}

/** What weights estimate for rows of a data set, on all lanes. */
export async function estimateRows(
  pool: WorkerPool,
  { model, plan, on }: Judging,
  weights: Float32Array,
  rows: Int32Array,
): Promise<Float32Array> {
  const estimates = new Float32Array(rows.length)
  await pool.each(piecesOf(rows), async (piece, lane, i) => {
    const outcome = await lane.ask<'estimate'>({ kind: 'estimate', on, rows: piece, request: { model, weights, plan } })
    estimates.set(outcome.estimates, i * PIECE)
  })
  return estimates
}

function piecesOf(rows: Int32Array): Int32Array[] {
  return Array.from({ length: Math.ceil(rows.length / PIECE) }, (_, i) => rows.subarray(i * PIECE, (i + 1) * PIECE))
}

/** The figures of all rows together; `parts` in a fixed order, for the losses are floating-point numbers. */
export function addMetrics(parts: readonly ClassificationMetrics[], classes: number): ClassificationMetrics {
  const confusion = new Uint32Array(classes * classes)
  let loss = 0
  for (const part of parts) {
    for (let i = 0; i < confusion.length; i++) confusion[i] = (confusion[i] as number) + (part.confusion[i] as number)
    loss += part.loss * part.examples
  }
  return metricsOf(confusion, classes, loss)
}

/** The same for estimates of numbers. */
export function addErrors(parts: readonly RegressionMetrics[]): RegressionMetrics {
  const sum = (of: (part: RegressionMetrics) => number) => parts.reduce((total, part) => total + of(part) * part.examples, 0)
  return regressionMetricsOf(
    parts.reduce((total, { examples }) => total + examples, 0),
    sum(({ loss }) => loss),
    sum(({ mae }) => mae),
  )
}

/**
 * The share of right answers that weights give on the test examples, were their labels distributed as `counts` says: the
 * recall of each class, weighed. Measures a model for a client whose own examples are all for training.
 */
export function accuracyFor(metrics: ClassificationMetrics, counts: readonly number[]): number {
  let [right, all] = [0, 0]
  for (const [label, count] of counts.entries()) {
    const { examples, recall } = metrics.perClass[label] as ClassificationMetrics['perClass'][number]
    if (examples === 0) continue
    right += count * recall
    all += count
  }
  return all > 0 ? right / all : 0
}
