import type { Labels } from '@fedweave/client/training'
import type { Divisible } from '../partition/divisible.ts'
import type { Federation, Forecast } from '../scenarios/scenario.ts'

/** The class of each training example; where numbers are forecast, the range that its number lies in. */
export function classesOf({ train, classNames, forecast }: Federation): Pick<Divisible, 'labels' | 'classes'> {
  const labels = forecast === undefined ? (train.labels as Int32Array) : rangesOf(forecast, train.labels)
  return { labels, classes: classNames.length }
}

/** The range of each label or estimate, from 0: how many bounds it lies above. */
export function rangesOf({ bounds, mean, deviation }: Forecast, values: Labels): Int32Array {
  return Int32Array.from(values, (value) => bounds.filter((bound) => value * deviation + mean > bound).length)
}

/** `counts[range][estimated range]`: test examples. */
export function countRanges(forecast: Forecast, labels: Labels, estimates: Float32Array, ranges: number): number[][] {
  const counts = Array.from({ length: ranges }, () => new Array<number>(ranges).fill(0))
  const estimated = rangesOf(forecast, estimates)
  for (const [row, range] of rangesOf(forecast, labels).entries()) {
    const cells = counts[range] as number[]
    const column = estimated[row] as number
    cells[column] = (cells[column] as number) + 1
  }
  return counts
}
