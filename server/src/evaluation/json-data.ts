import { FedweaveError, isRegressor } from '@fedweave/aggregator'
import { checkEvaluationData, type EvaluationData } from './data.ts'

/**
 * Reads `{ "shape": [28, 28, 1], "classes": 10, "labels": [7, 2], "xs": ... }`, where `xs` is one flat list of numbers or
 * one list, nested or not, for each example. With `"classes": 1`, for a regressor, labels are any numbers. Throws as `checkEvaluationData` does.
 */
export function parseJsonData(text: string, origin: string): EvaluationData {
  const { shape, classes, labels, xs } = parseObject(text, origin)
  if (!Array.isArray(xs)) throw misfit(origin, '`xs` must be a list of numbers or of examples')
  const kept = isRegressor({ classes } as EvaluationData) ? numbers(labels, origin) : integers(labels, origin)
  const data = { xs: flatten(xs, shape, origin), shape, labels: kept, classes }
  return checkEvaluationData(data as EvaluationData, origin)
}

function integers(labels: unknown, origin: string): Int32Array {
  if (!Array.isArray(labels)) throw misfit(origin, '`labels` must be a list of integers')
  for (const [row, label] of labels.entries()) {
    // the comparison also refuses what a 32-bit integer does not hold
    if (label !== (label | 0)) throw misfit(origin, `row ${row}: expected an integer as its label, got ${JSON.stringify(label)}`)
  }
  return Int32Array.from(labels)
}

function numbers(labels: unknown, origin: string): Float32Array {
  if (!Array.isArray(labels)) throw misfit(origin, '`labels` must be a list of numbers')
  const wrong = labels.findIndex((label) => typeof label !== 'number')
  if (wrong >= 0) throw misfit(origin, `row ${wrong}: expected a number as its label, got ${JSON.stringify(labels[wrong])}`)
  return Float32Array.from(labels)
}

function parseObject(text: string, origin: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new FedweaveError('FL_DATASET_SHAPE', `${origin} is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof parsed !== 'object' || parsed === null) throw misfit(origin, 'expected an object with shape, classes, labels and xs')
  return parsed as Record<string, unknown>
}

function flatten(xs: unknown[], shape: unknown, origin: string): Float32Array {
  const width = Array.isArray(shape) ? shape.reduce((n, side) => n * side, 1) : Number.NaN
  const nested = Array.isArray(xs[0])
  const rows = nested ? xs.map((row) => (Array.isArray(row) ? row.flat(Number.POSITIVE_INFINITY) : [row])) : [xs]
  for (const [row, values] of rows.entries()) {
    if (nested && width >= 1 && values.length !== width)
      throw misfit(origin, `row ${row}: expected ${width} values, got ${values.length}`)
    const wrong = values.findIndex((value) => typeof value !== 'number')
    if (wrong >= 0) {
      const at = nested ? row : Math.floor(wrong / width)
      throw misfit(origin, `row ${at}: expected numbers, got ${JSON.stringify(values[wrong])}`)
    }
  }
  return Float32Array.from((rows as number[][]).flat())
}

function misfit(origin: string, message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', `${origin}: ${message}`)
}
