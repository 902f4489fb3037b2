import { labelsOf } from '@fedweave/client/training'
import { checkRows, type Dataset } from '../data/dataset.ts'

/** A copy of the examples `rows`, in that order. Throws `FL_OUT_OF_RANGE` naming a row that is not there. */
export function take(dataset: Dataset, rows: Int32Array): Dataset {
  const { xs, labels, shape, classes } = dataset
  checkRows(rows, labels.length)
  const width = shape.reduce((n, side) => n * side, 1)
  const taken = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) {
    taken.set(xs.subarray(row * width, (row + 1) * width), i * width)
  }
  return { xs: taken, shape, labels: labelsOf(labels, rows), classes }
}
