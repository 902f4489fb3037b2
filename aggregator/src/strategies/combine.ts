import { FedweaveError } from '../core/errors.ts'
import type { CombineRule } from '../task/config.ts'

/** The decoded mean of one cohort. */
export interface CohortMean {
  readonly pseudoGradient: Float32Array
  readonly weight: number
}

/** Part of the cohorts that `trimmed-mean` leaves out at each end of every coordinate. */
const TRIM = 0.2

/**
 * `mean`: weighted. `median`: of each coordinate (Yin et al. 2018, algorithm 1, option I): holds against fewer than half
 * of the cohorts. `trimmed-mean`: of each coordinate without the lowest and highest fifth (option II). `norm-bounded`: the
 * mean of the cohort means, each scaled down to the median of their L2 norms (Sun et al. 2019, section 4).
 * `means`: at least one, all of one length, else throws `FL_UPDATE_SHAPE`.
 */
export function combineCohorts(rule: CombineRule, means: readonly CohortMean[]): Float32Array {
  const [first] = means
  const size = first?.pseudoGradient.length
  if (first === undefined || means.some(({ pseudoGradient }) => pseudoGradient.length !== size)) {
    throw new FedweaveError('FL_UPDATE_SHAPE', `expected at least one cohort mean, all of one length, got ${means.length}`)
  }
  if (means.length === 1) return first.pseudoGradient
  const vectors = means.map(({ pseudoGradient }) => pseudoGradient)
  switch (rule) {
    case 'mean':
      return scaledSum(vectors, shares(means))
    case 'median':
      return byCoordinate(vectors, medianOf)
    case 'trimmed-mean':
      return byCoordinate(vectors, trimmedMeanOf)
    case 'norm-bounded':
      return normBounded(vectors)
  }
}

function shares(means: readonly CohortMean[]): number[] {
  const total = means.reduce((sum, { weight }) => sum + weight, 0)
  return means.map(({ weight }) => weight / total)
}

function normBounded(vectors: readonly Float32Array[]): Float32Array {
  const norms = vectors.map((vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0)))
  const bound = medianOf(Float64Array.from(norms).sort())
  const factors = norms.map((norm) => (norm > bound ? bound / norm : 1) / vectors.length)
  return scaledSum(vectors, factors)
}

function scaledSum(vectors: readonly Float32Array[], factors: readonly number[]): Float32Array {
  const [first] = vectors as readonly [Float32Array]
  return first.map((_, i) => vectors.reduce((sum, vector, v) => sum + (factors[v] as number) * (vector[i] as number), 0))
}

/** `statistic` of the values that the vectors have at each coordinate, sorted. */
function byCoordinate(vectors: readonly Float32Array[], statistic: (sorted: Float64Array) => number): Float32Array {
  const [first] = vectors as readonly [Float32Array]
  const column = new Float64Array(vectors.length)
  return first.map((_, i) => {
    for (let v = 0; v < vectors.length; v++) column[v] = (vectors[v] as Float32Array)[i] as number
    return statistic(column.sort())
  })
}

function medianOf(sorted: Float64Array): number {
  const upper = sorted.length >> 1
  const high = sorted[upper] as number
  return sorted.length % 2 === 1 ? high : (high + (sorted[upper - 1] as number)) / 2
}

function trimmedMeanOf(sorted: Float64Array): number {
  const cut = Math.floor(TRIM * sorted.length)
  const kept = sorted.subarray(cut, sorted.length - cut)
  return kept.reduce((sum, x) => sum + x, 0) / kept.length
}
