import { clipL2InPlace, FedweaveError } from '@fedweave/aggregator'

/** The weighted mean of plain deltas: what secure aggregation approximates to within a quantum. */
export interface PlainMean {
  readonly pseudoGradient: Float32Array
  readonly weight: number
}

/**
 * Sums clipped deltas in float64 and in the order of their places, whatever the order in which they arrive: floating-point
 * sums depend on it, and results must not depend on the number of workers.
 */
export class PlainSum {
  readonly #sum: Float64Array
  readonly #clipBound: number
  readonly #early = new Map<number, { readonly delta: Float32Array; readonly weight: number }>()
  #next = 0
  #weight = 0

  constructor(size: number, clipBound: number) {
    this.#sum = new Float64Array(size)
    this.#clipBound = clipBound
  }

  /** `place`: from 0, each once. `delta` is clipped in place. */
  add(place: number, delta: Float32Array, weight: number): void {
    if (delta.length !== this.#sum.length)
      throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${this.#sum.length} values, got ${delta.length}`)
    this.#early.set(place, { delta, weight })
    for (let due = this.#early.get(this.#next); due !== undefined; due = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++)
      clipL2InPlace(due.delta, this.#clipBound)
      for (let i = 0; i < this.#sum.length; i++) this.#sum[i] = (this.#sum[i] as number) + (due.delta[i] as number) * due.weight
      this.#weight += due.weight
    }
  }

  mean(): PlainMean {
    if (this.#early.size > 0) throw new Error(`place ${this.#next} was never added`)
    return { pseudoGradient: Float32Array.from(this.#sum, (value) => value / this.#weight), weight: this.#weight }
  }
}
