import { FedweaveError, isRegressor } from '@fedweave/aggregator'

/** Labelled examples that no client trains on: what each new model is judged by. */
export interface EvaluationData {
  /** Examples one after another: `labels.length` times the product of `shape` values. */
  readonly xs: Float32Array
  /** Shape of one example. */
  readonly shape: readonly number[]
  /** Class of each example, from 0 to `classes` - 1; for a regressor (Float32Array) the number that it is to give. */
  readonly labels: Int32Array | Float32Array
  /** 1: for a regressor. */
  readonly classes: number
}

/** Returns `data`. Throws `FL_DATASET_SHAPE` or, for a NaN or an infinity, `FL_NON_FINITE`, naming `origin` and the row (from 0). */
export function checkEvaluationData(data: EvaluationData, origin: string): EvaluationData {
  const { xs, shape, labels, classes } = data
  const misfit = (message: string) => new FedweaveError('FL_DATASET_SHAPE', `${origin}: ${message}`)
  if (!(xs instanceof Float32Array)) throw misfit('`xs` is no Float32Array')
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every((side) => Number.isInteger(side) && side > 0)) {
    throw misfit(`\`shape\` must list the sides of one example, positive integers, got ${JSON.stringify(shape)}`)
  }
  if (!Number.isInteger(classes) || classes < 1)
    throw misfit(`\`classes\` must be an integer from 1, got ${JSON.stringify(classes)}`)
  const kind = isRegressor(data) ? Float32Array : Int32Array
  if (!(labels instanceof kind)) throw misfit(`\`labels\` is no ${kind.name}, which \`classes\` ${classes} goes with`)
  if (labels.length === 0) throw misfit('there are no examples')

  const width = shape.reduce((n, side) => n * side, 1)
  if (xs.length !== labels.length * width) {
    const expected = `${labels.length} labels and the shape [${shape.join(', ')}] need ${labels.length * width} values`
    throw misfit(`${expected}, \`xs\` has ${xs.length}`)
  }
  for (const [row, label] of labels.entries()) {
    if (!Number.isFinite(label)) throw new FedweaveError('FL_NON_FINITE', `${origin}: the label of row ${row} is ${label}`)
    if (!isRegressor(data) && (label < 0 || label >= classes))
      throw misfit(`row ${row}: expected a label from 0 to ${classes - 1}, got ${label}`)
  }
  const broken = xs.findIndex((x) => !Number.isFinite(x))
  if (broken >= 0) throw new FedweaveError('FL_NON_FINITE', `${origin}: row ${Math.floor(broken / width)} holds ${xs[broken]}`)
  return data
}
