import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset } from '../training/trainer.ts'
import { Examples, type InputSpec } from './examples.ts'

/** As much of a tensor as is read. */
interface Tensor {
  data(): Promise<ArrayLike<number>>
  dispose(): void
}

/** As much of a `tf.data.Dataset` as is read: one example at a time, `{ xs, ys }`; `unbatch` one that is batched. */
export interface TfDataset {
  iterator(): Promise<{ next(): Promise<{ readonly value: unknown; readonly done?: boolean }> }>
}

/**
 * All examples of a `tf.data.Dataset`, whose tensors are read and disposed of. `ys` is the class from 0, or one-hot; of a regressor the number. Throws
 * `FL_DATASET_SHAPE`, `FL_NON_FINITE` naming the row (from 0).
 */
export async function fromTfDataset(dataset: TfDataset, spec: InputSpec): Promise<LocalDataset> {
  const examples = new Examples(spec)
  const iterator = await dataset.iterator()
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    const { xs, ys } = (next.value ?? {}) as { readonly xs?: Tensor; readonly ys?: Tensor }
    if (xs === undefined || ys === undefined)
      throw new FedweaveError('FL_DATASET_SHAPE', `row ${examples.count}: expected an object of the tensors xs and ys`)
    try {
      const [values, label] = await Promise.all([xs.data(), ys.data()])
      examples.add(values, classOf(label, spec.classes))
    } finally {
      xs.dispose()
      ys.dispose()
    }
  }
  return examples.dataset
}

/** -1 for what is neither one class nor one-hot. */
function classOf(label: ArrayLike<number>, classes: number): number {
  if (label.length === 1) return label[0] as number
  const values = Array.from(label)
  const oneHot = values.length === classes && values.filter((value) => value === 1).length === 1
  return oneHot && values.every((value) => value === 0 || value === 1) ? values.indexOf(1) : -1
}
