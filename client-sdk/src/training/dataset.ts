import { FedweaveError, isRegressor, type ModelSpec } from '@fedweave/aggregator'
import type { Labels } from './labels.ts'
import type { LocalDataset } from './trainer.ts'

/**
 * Checks once, before training, that every example fits the model: `FL_DATASET_SHAPE` says what was expected and got,
 * `FL_NON_FINITE` names the row (from 0) whose values or label hold a NaN or an infinity.
 */
export function checkDataset(dataset: LocalDataset, model: ModelSpec): void {
  const { xs, shape, labels } = dataset
  const rows = labels.length
  if (shape.length !== model.inputShape.length || shape.some((side, i) => side !== model.inputShape[i])) {
    throw misfit(`expected examples of the shape [${model.inputShape.join(', ')}], got [${shape.join(', ')}]`)
  }
  if (rows === 0) throw misfit('expected at least one example, got none')
  const width = shape.reduce((n, side) => n * side, 1)
  if (xs.length !== rows * width) {
    throw misfit(`expected ${rows * width} values for ${rows} examples of [${shape.join(', ')}], got ${xs.length}`)
  }
  checkLabels(labels, model)
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as number
    if (!Number.isFinite(x)) throw new FedweaveError('FL_NON_FINITE', `row ${Math.floor(i / width)} of the data set holds ${x}`)
  }
}

function checkLabels(labels: Labels, model: ModelSpec): void {
  if (isRegressor(model)) {
    if (!(labels instanceof Float32Array)) throw misfit('expected numbers as labels, a Float32Array, for a model of one output')
    const broken = labels.findIndex((label) => !Number.isFinite(label))
    if (broken >= 0) throw new FedweaveError('FL_NON_FINITE', `the label of row ${broken} is ${labels[broken]}`)
    return
  }
  if (!(labels instanceof Int32Array)) throw misfit(`expected classes as labels, an Int32Array, for ${model.classes} outputs`)
  const wrong = labels.findIndex((label) => label < 0 || label >= model.classes)
  if (wrong >= 0) throw misfit(`row ${wrong}: expected a label from 0 to ${model.classes - 1}, got ${labels[wrong]}`)
}

function misfit(message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', message)
}
