import { isRegressor, type ModelSpec } from '@fedweave/aggregator'

/** One label an example: for a classifier its class, from 0; for a regressor (Float32Array) the number that the model is to give. */
export type Labels = Int32Array | Float32Array

/** Labels of the kind that such a model is trained on, all 0. */
export function blankLabels(model: Pick<ModelSpec, 'classes'>, length: number): Labels {
  return isRegressor(model) ? new Float32Array(length) : new Int32Array(length)
}

/** As many labels of the same kind as `rows`, those of these rows. */
export function labelsOf(labels: Labels, rows: Int32Array | Uint32Array): Labels {
  const chosen = labels instanceof Float32Array ? new Float32Array(rows.length) : new Int32Array(rows.length)
  for (const [i, row] of rows.entries()) chosen[i] = labels[row] as number
  return chosen
}
