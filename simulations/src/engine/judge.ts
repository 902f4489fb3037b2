import type { ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import { type Metrics, metricsOf } from '@fedweave/client/training'
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
  const pieces = Array.from({ length: Math.ceil(rows.length / PIECE) }, (_, i) => rows.subarray(i * PIECE, (i + 1) * PIECE))
  const judged = new Array<Metrics>(pieces.length)
  await pool.each(pieces, async (piece, lane, i) => {
    judged[i] = await lane.ask<'judge'>({ kind: 'judge', on, rows: piece, request: { model, weights, plan } })
  })
  return addMetrics(judged, model.classes)
}

/** The figures of all rows together; `parts` in a fixed order, for the losses are floating-point numbers. */
export function addMetrics(parts: readonly Metrics[], classes: number): Metrics {
  const confusion = new Uint32Array(classes * classes)
  let loss = 0
  for (const part of parts) {
    for (let i = 0; i < confusion.length; i++) confusion[i] = (confusion[i] as number) + (part.confusion[i] as number)
    loss += part.loss * part.examples
  }
  return metricsOf(confusion, classes, loss)
}

/**
 * The share of right answers that weights give on the test examples, were their labels distributed as `counts` says: the
 * recall of each class, weighed. Measures a model for a client whose own examples are all for training.
 */
export function accuracyFor(metrics: Metrics, counts: readonly number[]): number {
  let [right, all] = [0, 0]
  for (const [label, count] of counts.entries()) {
    const { examples, recall } = metrics.perClass[label] as Metrics['perClass'][number]
    if (examples === 0) continue
    right += count * recall
    all += count
  }
  return all > 0 ? right / all : 0
}
