/** How unequally a model serves its clients. */
export interface Spread {
  readonly mean: number
  readonly variance: number
  /** Mean over the worst tenth, at least one client. */
  readonly worstTenth: number
  readonly least: number
  readonly most: number
}

/** `values`: one a client, at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const mean = average(sorted)
  return {
    mean,
    variance: average(sorted.map((value) => (value - mean) ** 2)),
    worstTenth: average(sorted.slice(0, Math.max(1, Math.floor(sorted.length / 10)))),
    least: sorted[0] as number,
    most: sorted.at(-1) as number,
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
