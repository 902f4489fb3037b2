import { FedweaveError, type ModelSpec } from '@fedweave/aggregator'
import type { LocalDataset } from './trainer.ts'

/**
 * Checks once, before training, that every example fits the model: `FL_DATASET_SHAPE` says what was expected and got,
 * `FL_NON_FINITE` names the row (from 0) that holds a NaN or an infinity.
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
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number
    if (label < 0 || label >= model.classes)
      throw misfit(`row ${row}: expected a label from 0 to ${model.classes - 1}, got ${label}`)
  }
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as number
    if (!Number.isFinite(x)) throw new FedweaveError('FL_NON_FINITE', `row ${Math.floor(i / width)} of the data set holds ${x}`)
  }
}

function misfit(message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', message)
}
