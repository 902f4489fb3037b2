import type { Dataset } from './dataset.ts'

/** Tabular examples: one list of inputs and one label each. */
export interface Tabular {
  readonly inputs: readonly (readonly number[])[]
  readonly labels: readonly number[]
}

/** With one class the labels are numbers to be forecast. */
export function toDataset({ inputs, labels }: Tabular, classes: number): Dataset {
  const width = inputs[0]?.length ?? 0
  const xs = new Float32Array(inputs.length * width)
  for (const [row, values] of inputs.entries()) xs.set(values, row * width)
  return { xs, shape: [width], labels: (classes === 1 ? Float32Array : Int32Array).from(labels), classes }
}

/**
 * Brings each column to mean 0 and deviation 1, by the numbers of `by` (default: all rows). Where clients may not show
 * their data to each other, each does this with its own rows.
 */
export function standardise(inputs: readonly (readonly number[])[], by = inputs): number[][] {
  const width = inputs[0]?.length ?? 0
  const mean = Array.from({ length: width }, (_, j) => by.reduce((sum, row) => sum + (row[j] as number), 0) / by.length)
  const deviation = mean.map(
    (m, j) => Math.sqrt(by.reduce((sum, row) => sum + ((row[j] as number) - m) ** 2, 0) / by.length) || 1,
  )
  return inputs.map((row) => row.map((value, j) => (value - (mean[j] as number)) / (deviation[j] as number)))
}

/** 1 at the place of `value` among `values`, else 0; the first value may be left out, as it follows from the others. */
export function oneHot<T>(value: T, values: readonly T[]): number[] {
  return values.map((other) => (other === value ? 1 : 0))
}
