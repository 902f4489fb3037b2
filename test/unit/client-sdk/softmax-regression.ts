import { Random } from '../../../client-sdk/src/training/random.ts'
import type { LocalDataset } from '../../../client-sdk/src/training/trainer.ts'

/** `rows` random points of three coordinates in (-1, 1); the class says whether their sum is positive. */
export function points(rows: number): LocalDataset {
  const random = new Random(11)
  const xs = Float32Array.from({ length: rows * 3 }, () => random.uint32() / 2 ** 31 - 1)
  const labels = Int32Array.from({ length: rows }, (_, i) =>
    (xs[3 * i] ?? 0) + (xs[3 * i + 1] ?? 0) + (xs[3 * i + 2] ?? 0) > 0 ? 1 : 0,
  )
  return { xs, shape: [3], labels }
}

/** Loss, hits and gradient of softmax regression (3 x 2 kernel, then 2 biases) over all of `dataset`, in float64. */
export function regression({ xs, labels }: LocalDataset, weights: ArrayLike<number>) {
  const gradient = new Float64Array(8)
  let loss = 0
  let correct = 0
  for (const [row, label] of labels.entries()) {
    const x = [...xs.subarray(3 * row, 3 * row + 3), 1]
    const logit = (c: number) => x.reduce((sum, value, i) => sum + value * (weights[2 * i + c] as number), 0)
    const p1 = 1 / (1 + Math.exp(logit(0) - logit(1)))
    loss -= Math.log(label === 1 ? p1 : 1 - p1) / labels.length
    correct += (p1 > 0.5 ? 1 : 0) === label ? 1 : 0
    for (const [i, value] of x.entries()) {
      gradient[2 * i] = (gradient[2 * i] as number) + ((1 - p1 - (1 - label)) * value) / labels.length
      gradient[2 * i + 1] = (gradient[2 * i + 1] as number) + ((p1 - label) * value) / labels.length
    }
  }
  return { loss, accuracy: correct / labels.length, gradient }
}
