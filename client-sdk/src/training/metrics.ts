import { softmaxCrossEntropy } from './cross-entropy.ts'
import type { Labels } from './labels.ts'
import { meanSquaredError } from './squared-error.ts'

/** What a classifier or a regressor makes of examples. */
export type Metrics = ClassificationMetrics | RegressionMetrics

export interface RegressionMetrics {
  readonly examples: number
  /** Mean squared error. */
  readonly loss: number
  /** Its root, in the unit of the labels. */
  readonly rmse: number
  /** Mean absolute error, in the unit of the labels. */
  readonly mae: number
}

/** How one class fares. A share of nothing is 0. */
export interface ClassMetrics {
  readonly examples: number
  /** Right among those predicted as this class. */
  readonly precision: number
  /** Right among the examples of this class. */
  readonly recall: number
  /** Harmonic mean of the two. */
  readonly f1: number
}

export interface ClassificationMetrics {
  readonly examples: number
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Share of examples whose most probable class is right. */
  readonly accuracy: number
  /** `confusion[label * classes + predicted]`: number of examples. */
  readonly confusion: Uint32Array
  readonly perClass: readonly ClassMetrics[]
  /** Means over the classes that have examples, so that rare classes weigh as much as common ones. */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number }
}

/** Adds up batch by batch what logits say of labels. */
export class ClassTally {
  readonly #classes: number
  readonly #confusion: Uint32Array
  #loss = 0

  constructor(classes: number) {
    this.#classes = classes
    this.#confusion = new Uint32Array(classes * classes)
  }

  /** Returns the batch's loss. */
  add(logits: Float32Array, labels: Labels): number {
    const { loss, predicted } = softmaxCrossEntropy(logits, labels, this.#classes)
    for (const [i, label] of labels.entries()) {
      const cell = label * this.#classes + (predicted[i] as number)
      this.#confusion[cell] = (this.#confusion[cell] as number) + 1
    }
    this.#loss += loss
    return loss
  }

  get metrics(): ClassificationMetrics {
    return metricsOf(this.#confusion, this.#classes, this.#loss)
  }
}

/** Adds up batch by batch how far estimates are off. */
export class ErrorTally {
  #examples = 0
  #squares = 0
  #absolute = 0

  /** Returns the batch's loss. */
  add(estimates: Float32Array, labels: Labels): number {
    const { loss, absolute } = meanSquaredError(estimates, labels)
    this.#examples += labels.length
    this.#squares += loss
    this.#absolute += absolute
    return loss
  }

  get metrics(): RegressionMetrics {
    return regressionMetricsOf(this.#examples, this.#squares, this.#absolute)
  }
}

/** `squares` and `absolute`: sums over the examples. */
export function regressionMetricsOf(examples: number, squares: number, absolute: number): RegressionMetrics {
  const loss = share(squares, examples)
  return { examples, loss, rmse: Math.sqrt(loss), mae: share(absolute, examples) }
}

/** All that follows from the confusion counts; `loss` is the sum over the examples. */
export function metricsOf(confusion: Uint32Array, classes: number, loss: number): ClassificationMetrics {
  const all = Array.from({ length: classes }, (_, index) => index)
  const at = (label: number, predicted: number) => confusion[label * classes + predicted] as number
  const perClass = all.map((index): ClassMetrics => {
    const right = at(index, index)
    const examples = sum(all.map((predicted) => at(index, predicted)))
    const predictions = sum(all.map((label) => at(label, index)))
    return {
      examples,
      precision: share(right, predictions),
      recall: share(right, examples),
      f1: share(2 * right, examples + predictions),
    }
  })
  const examples = sum(perClass.map((each) => each.examples))
  const present = perClass.filter((each) => each.examples > 0)
  const mean = (of: (each: ClassMetrics) => number) => share(sum(present.map(of)), present.length)
  return {
    examples,
    loss: share(loss, examples),
    accuracy: share(sum(all.map((index) => at(index, index))), examples),
    confusion,
    perClass,
    macro: { precision: mean((each) => each.precision), recall: mean((each) => each.recall), f1: mean((each) => each.f1) },
  }
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
