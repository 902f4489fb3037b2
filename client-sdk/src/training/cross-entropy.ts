import { exp, ln } from './elementary.ts'
import type { Labels } from './labels.ts'

/** What one batch of logits says about the model. */
export interface ClassScore {
  /** Sum over the batch of the cross-entropy of softmax(logits) against the label, in nats. */
  readonly loss: number
  /** Class of each example's largest logit; of equal ones the first counts. */
  readonly predicted: Int32Array
  /** Examples for which that is the label. */
  readonly correct: number
  /** Gradient of the batch's mean loss by the logits: (softmax - one-hot) / rows. */
  readonly gradient: Float32Array
}

/**
 * Sparse categorical cross-entropy on logits. Softmax, logarithm and gradient are taken together from the logits
 * shifted by their maximum, in float64: no probability is clipped, and a sure but wrong model still gets its full gradient.
 */
export function softmaxCrossEntropy(logits: Float32Array, labels: Labels, classes: number): ClassScore {
  const gradient = new Float32Array(logits.length)
  const predicted = new Int32Array(labels.length)
  const exponentials = new Float64Array(classes)
  let loss = 0
  let correct = 0
  for (const [row, label] of labels.entries()) {
    const at = row * classes
    let best = 0
    for (let c = 1; c < classes; c++) if ((logits[at + c] as number) > (logits[at + best] as number)) best = c
    const top = logits[at + best] as number
    let sum = 0
    for (let c = 0; c < classes; c++) {
      const exponential = exp((logits[at + c] as number) - top)
      exponentials[c] = exponential
      sum += exponential
    }
    loss += ln(sum) + top - (logits[at + label] as number)
    predicted[row] = best
    if (best === label) correct++
    for (let c = 0; c < classes; c++) {
      gradient[at + c] = ((exponentials[c] as number) / sum - (c === label ? 1 : 0)) / labels.length
    }
  }
  return { loss, predicted, correct, gradient }
}
