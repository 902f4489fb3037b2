import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import { Random, shuffleInPlace } from './random.ts'

export interface Split {
  /** Rows to train on, ascending. */
  readonly training: Uint32Array
  /** Rows that are never trained on, ascending; none without `plan.validation`. */
  readonly validation: Uint32Array
}

/**
 * Divides the rows of a data set as the plan asks. It follows from the plan and the number of rows alone, so that a row
 * kept for validation stays there in every round. Throws `FL_OUT_OF_RANGE` for a fraction outside (0, 1) and
 * `FL_DATASET_SHAPE` where one part would be empty.
 */
export function splitRows(rows: number, { validation }: Pick<TrainingPlan, 'validation'>): Split {
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  if (validation === undefined) return { training: order, validation: new Uint32Array(0) }
  const { fraction, seed = 0 } = validation
  if (!(fraction > 0 && fraction < 1)) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `plan.validation.fraction: expected a number between 0 and 1, got ${fraction}`)
  }
  if (rows < 2) throw new FedweaveError('FL_DATASET_SHAPE', `a validation part needs two examples or more, got ${rows}`)
  const kept = Math.min(Math.max(Math.round(rows * fraction), 1), rows - 1)
  shuffleInPlace(order, new Random(seed))
  return { training: order.slice(kept).sort(), validation: order.slice(0, kept).sort() }
}
