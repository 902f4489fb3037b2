import { FedweaveError } from '@fedweave/aggregator'
import type { Labels } from '@fedweave/client/training'

/** Labelled examples: fits both a client's local data set and the server's evaluation data. */
export interface Dataset {
  /** Examples one after another: `labels.length` times the product of `shape` values. */
  readonly xs: Float32Array
  /** Shape of one example. */
  readonly shape: readonly number[]
  /** Class of each example, from 0 to `classes` - 1; or numbers to be forecast, which are Float32Array. */
  readonly labels: Labels
  /** 1: the labels are numbers. */
  readonly classes: number
}

/** Throws `FL_OUT_OF_RANGE` naming a row that a data set of `examples` examples does not have. */
export function checkRows(rows: Int32Array, examples: number): void {
  const wrong = rows.find((row) => row < 0 || row >= examples)
  if (wrong !== undefined) throw new FedweaveError('FL_OUT_OF_RANGE', `expected rows from 0 to ${examples - 1}, got ${wrong}`)
}
