import { FedweaveError, isRegressor, type ModelSpec } from '@fedweave/aggregator'
import { blankLabels } from '../training/labels.ts'
import type { LocalDataset } from '../training/trainer.ts'

/** What a task takes: the shape of one example, and how many classes there are; 1 where it is a number that is to be estimated. */
export type InputSpec = Pick<ModelSpec, 'inputShape' | 'classes'>

/** Collects labelled examples for one task, each checked as it comes; whatever is wrong names its row. */
export class Examples {
  readonly spec: InputSpec
  readonly #values: Float32Array[] = []
  readonly #labels: number[] = []
  readonly #width: number

  constructor(spec: InputSpec) {
    this.spec = spec
    this.#width = spec.inputShape.reduce((n, side) => n * side, 1)
  }

  get count(): number {
    return this.#labels.length
  }

  /**
   * `values`: one example, in the order of `spec.inputShape`; `label`: its class, from 0, or its number; `row`: its name in errors, else its number
   * from 0. Throws `FL_DATASET_SHAPE` for another size or a label that is no class, `FL_NON_FINITE` for a value or a label that is no number.
   */
  add(values: ArrayLike<number>, label: number, row = String(this.count)): void {
    const { classes, inputShape } = this.spec
    if (values.length !== this.#width) {
      const shape = `[${inputShape.join(', ')}]`
      throw new FedweaveError('FL_DATASET_SHAPE', `row ${row}: expected ${this.#width} values for ${shape}, got ${values.length}`)
    }
    if (isRegressor(this.spec)) {
      if (!Number.isFinite(Math.fround(label))) throw new FedweaveError('FL_NON_FINITE', `row ${row}: the label is ${label}`)
    } else if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new FedweaveError('FL_DATASET_SHAPE', `row ${row}: expected a label from 0 to ${classes - 1}, got ${label}`)
    const kept = Float32Array.from(values)
    const broken = kept.findIndex((value) => !Number.isFinite(value))
    if (broken >= 0) throw new FedweaveError('FL_NON_FINITE', `row ${row}: value ${broken} is ${values[broken]}`)
    this.#values.push(kept)
    this.#labels.push(label)
  }

  /** All so far. */
  get dataset(): LocalDataset {
    const xs = new Float32Array(this.count * this.#width)
    for (const [row, values] of this.#values.entries()) xs.set(values, row * this.#width)
    const labels = blankLabels(this.spec, this.count)
    labels.set(this.#labels)
    return { xs, labels, shape: this.spec.inputShape }
  }
}
