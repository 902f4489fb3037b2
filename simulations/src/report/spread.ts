import type { Metric } from '../scenarios/scenario.ts'

/** How unequally a model serves its clients. */
export interface Spread {
  readonly mean: number
  readonly variance: number
  /** Mean over the worst tenth, at least one client. */
  readonly worstTenth: number
  readonly least: number
  readonly most: number
}

/** `values`: one a client, at least one; `better`: which of them are. */
export function spreadOf(values: readonly number[], better: Metric['better'] = 'higher'): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const mean = average(sorted)
  const tenth = Math.max(1, Math.floor(sorted.length / 10))
  return {
    mean,
    variance: average(sorted.map((value) => (value - mean) ** 2)),
    worstTenth: average(better === 'higher' ? sorted.slice(0, tenth) : sorted.slice(-tenth)),
    least: sorted[0] as number,
    most: sorted.at(-1) as number,
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
