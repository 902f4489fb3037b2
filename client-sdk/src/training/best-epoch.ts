import type { Validation } from './trainer.ts'

/** Weights flat, and what they make of the validation part. */
export interface JudgedWeights {
  readonly weights: Float32Array
  readonly validation: Validation
}

/** Keeps the weights of the epoch with the least validation loss, and counts the epochs since. */
export class BestEpoch {
  #best: JudgedWeights | undefined
  #since = 0
  readonly #patience: number

  constructor(patience: number) {
    this.#patience = patience
  }

  get best(): JudgedWeights | undefined {
    return this.#best
  }

  /** Whether training should stop: so many epochs in a row have not been better than the best. */
  exhausted(validation: Validation, weights: () => Float32Array): boolean {
    if (this.#best === undefined || validation.loss < this.#best.validation.loss) {
      this.#best = { weights: weights(), validation }
      this.#since = 0
    } else this.#since++
    return this.#since >= this.#patience
  }
}
