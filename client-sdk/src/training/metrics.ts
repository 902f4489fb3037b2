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

export interface Metrics {
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

/** All that follows from the confusion counts; `loss` is the sum over the examples. */
export function metricsOf(confusion: Uint32Array, classes: number, loss: number): Metrics {
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
