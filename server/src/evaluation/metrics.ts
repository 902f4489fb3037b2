import { type Evaluation, FedweaveError } from '@fedweave/aggregator'

export interface ClassMetrics {
  /** Right among those predicted as this class; 0 where none were. */
  readonly precision: number
  /** Right among the examples of this class; 0 where there are none. */
  readonly recall: number
}

export interface EvaluationResult extends Evaluation {
  /** Of a classifier. */
  readonly perClass?: readonly ClassMetrics[]
}

/** TensorFlow.js's and Keras's epsilon: the least probability that enters a logarithm. */
const LEAST_PROBABILITY = 1e-7

/** Adds predictions up, batch by batch, into a confusion matrix and a loss. */
export class ClassTally {
  readonly classes: number
  /** `confusion[label * classes + predicted]`: number of examples. */
  readonly confusion: Uint32Array
  #examples = 0
  #loss = 0 // float64

  constructor(classes: number) {
    this.classes = classes
    this.confusion = new Uint32Array(classes * classes)
  }

  /**
   * `probabilities`: one row of `classes` for each label. Of equal probabilities the lowest class counts as predicted.
   * Throws `FL_NON_FINITE` naming the example (from 0, over all batches) for which the model gives a NaN.
   */
  add(probabilities: Float32Array, labels: Int32Array | Float32Array): void {
    for (const [row, label] of labels.entries()) {
      const scores = probabilities.subarray(row * this.classes, (row + 1) * this.classes)
      let predicted = 0
      for (const [candidate, score] of scores.entries()) {
        if (Number.isNaN(score))
          throw new FedweaveError('FL_NON_FINITE', `the model gives NaN for evaluation example ${this.#examples}`)
        if (score > (scores[predicted] as number)) predicted = candidate
      }
      const cell = label * this.classes + predicted
      this.confusion[cell] = (this.confusion[cell] as number) + 1
      this.#loss -= Math.log(Math.max(scores[label] as number, LEAST_PROBABILITY))
      this.#examples++
    }
  }

  result(): EvaluationResult {
    const { confusion, classes } = this
    const all = Array.from({ length: classes }, (_, index) => index)
    const at = (label: number, predicted: number) => confusion[label * classes + predicted] as number
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

    const right = all.map((index) => at(index, index))
    const examples = all.map((label) => sum(all.map((predicted) => at(label, predicted))))
    const predictions = all.map((predicted) => sum(all.map((label) => at(label, predicted))))
    const share = (index: number, of: readonly number[]) =>
      (of[index] as number) > 0 ? (right[index] as number) / (of[index] as number) : 0
    const perClass = all.map((index) => ({ precision: share(index, predictions), recall: share(index, examples) }))
    const present = perClass.filter((_, index) => (examples[index] as number) > 0)
    return {
      examples: this.#examples,
      loss: this.#loss / this.#examples,
      accuracy: sum(right) / this.#examples,
      recall: sum(present.map(({ recall }) => recall)) / present.length,
      perClass,
    }
  }
}

/** Adds up, batch by batch, how far a regressor's estimates are off, in float64. */
export class ErrorTally {
  #examples = 0
  #squares = 0
  #absolute = 0

  /** `estimates`: one for each label. Throws `FL_NON_FINITE` naming the example for which the model gives no number. */
  add(estimates: Float32Array, labels: Int32Array | Float32Array): void {
    for (const [row, label] of labels.entries()) {
      const error = (estimates[row] as number) - label
      if (!Number.isFinite(error))
        throw new FedweaveError('FL_NON_FINITE', `the model gives ${estimates[row]} for evaluation example ${this.#examples}`)
      this.#squares += error * error
      this.#absolute += Math.abs(error)
      this.#examples++
    }
  }

  result(): EvaluationResult {
    const loss = this.#squares / this.#examples
    return { examples: this.#examples, loss, rmse: Math.sqrt(loss), mae: this.#absolute / this.#examples }
  }
}
