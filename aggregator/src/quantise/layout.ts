import { FedweaveError } from '../core/errors.ts'

/** One trainable tensor of a model, in the order in which TensorFlow.js lists the model's weights. */
export interface TensorSpec {
  readonly name: string
  readonly shape: readonly number[]
}

/** Where each tensor lies in the flat vector of weights that everything after training works on. */
export class TensorLayout {
  readonly tensors: readonly (TensorSpec & { readonly offset: number; readonly size: number })[]
  /** Number of parameters. */
  readonly size: number

  constructor(tensors: readonly TensorSpec[]) {
    let offset = 0
    this.tensors = tensors.map(({ name, shape }) => {
      const size = shape.reduce((n, d) => n * d, 1)
      if (!Number.isSafeInteger(size) || size < 1) {
        throw new FedweaveError(
          'FL_CONFIG_INVALID',
          `tensor ${JSON.stringify(name)} has the shape [${shape.join(', ')}]: every side must be a positive integer`,
        )
      }
      const placed = { name, shape, offset, size }
      offset += size
      return placed
    })
    this.size = offset
  }

  /** Copies one array a tensor into a flat Float32Array of `size`. Throws `FL_UPDATE_SHAPE` when a length differs. */
  flatten(values: readonly ArrayLike<number>[]): Float32Array {
    if (values.length !== this.tensors.length) {
      throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${this.tensors.length} tensors, got ${values.length}`)
    }
    const flat = new Float32Array(this.size)
    for (const [i, { name, offset, size }] of this.tensors.entries()) {
      const value = values[i] as ArrayLike<number>
      if (value.length !== size) {
        throw new FedweaveError('FL_UPDATE_SHAPE', `tensor ${JSON.stringify(name)}: expected ${size} values, got ${value.length}`)
      }
      flat.set(value, offset)
    }
    return flat
  }

  /** Views into `flat`, one a tensor; nothing is copied. Throws `FL_UPDATE_SHAPE` when the length differs. */
  views(flat: Float32Array): Float32Array[] {
    if (flat.length !== this.size) throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${this.size} values, got ${flat.length}`)
    return this.tensors.map(({ offset, size }) => flat.subarray(offset, offset + size))
  }
}
