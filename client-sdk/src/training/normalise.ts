import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import type { LocalDataset } from './trainer.ts'

/** Changes the values of one example in place. */
export type Normalise = (example: Float32Array) => void

/**
 * What the plan does to each example: subtract the mean and divide by the deviation, either those of the plan or those of
 * the data set's `rows`, one for each index of the last side. A constant column has the deviation 1 and becomes 0.
 * Throws `FL_OUT_OF_RANGE` for lists that do not fit the examples.
 */
export function normaliser(
  dataset: LocalDataset,
  rows: Uint32Array,
  { normalise }: Pick<TrainingPlan, 'normalise'>,
): Normalise | undefined {
  if (normalise === undefined) return undefined
  const { mean, std } = normalise.mean && normalise.std ? (normalise as Moments) : momentsOf(dataset, rows)
  const last = dataset.shape.at(-1) as number
  if (mean.length !== std.length || (mean.length !== 1 && mean.length !== last)) {
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `plan.normalise: expected 1 or ${last} means and deviations, got ${mean.length} and ${std.length}`,
    )
  }
  return (example) => {
    for (let i = 0; i < example.length; i++) {
      const column = i % mean.length
      example[i] = ((example[i] as number) - (mean[column] as number)) / (std[column] as number)
    }
  }
}

interface Moments {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** Mean and standard deviation of each index of the last side over `rows`, by Welford's method in float64. */
function momentsOf({ xs, shape, labels }: LocalDataset, rows: Uint32Array): Moments {
  const width = xs.length / labels.length
  const columns = shape.at(-1) as number
  const [mean, squares] = [new Float64Array(columns), new Float64Array(columns)]
  let seen = 0
  for (const row of rows) {
    for (let start = row * width; start < (row + 1) * width; start += columns) {
      seen++
      for (let column = 0; column < columns; column++) {
        const before = (xs[start + column] as number) - (mean[column] as number)
        mean[column] = (mean[column] as number) + before / seen
        const after = (xs[start + column] as number) - (mean[column] as number)
        squares[column] = (squares[column] as number) + before * after
      }
    }
  }
  return { mean: [...mean], std: [...squares].map((sum) => Math.sqrt(sum / seen) || 1) }
}
