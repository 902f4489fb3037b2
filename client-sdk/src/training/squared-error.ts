import type { Labels } from './labels.ts'

/** What one batch of estimates is off. */
export interface ErrorScore {
  /** Sum over the batch of the squared errors. */
  readonly loss: number
  /** Sum over the batch of the errors without their signs. */
  readonly absolute: number
  /** Gradient of the batch's mean squared error by the estimates: 2 (estimate - label) / rows. */
  readonly gradient: Float32Array
}

/** Mean squared error of one estimate a label, in float64 until the gradient is rounded. */
export function meanSquaredError(estimates: Float32Array, labels: Labels): ErrorScore {
  const gradient = new Float32Array(labels.length)
  let [loss, absolute] = [0, 0]
  for (const [row, label] of labels.entries()) {
    const error = (estimates[row] as number) - label
    loss += error * error
    absolute += Math.abs(error)
    gradient[row] = (2 * error) / labels.length
  }
  return { loss, absolute, gradient }
}
