import { describe, expect, it } from 'vitest'
import { softmaxCrossEntropy } from '../../../client-sdk/src/training/cross-entropy.ts'

describe('softmaxCrossEntropy', () => {
  it('is the textbook formula, with (softmax - one-hot) / rows as its gradient', () => {
    const logits = Float32Array.of(1, -2, 0.5, 0, 0.25, 3)
    const labels = Int32Array.of(2, 1)
    const probabilities = [0, 3].flatMap((at) => {
      const exponentials = [...logits.subarray(at, at + 3)].map(Math.exp)
      const sum = exponentials.reduce((a, b) => a + b)
      return exponentials.map((e) => e / sum)
    })
    const { loss, correct, gradient } = softmaxCrossEntropy(logits, labels, 3)
    expect(loss).toBeCloseTo(-Math.log(probabilities[2] as number) - Math.log(probabilities[4] as number), 14)
    expect(correct).toBe(0)
    const expected = probabilities.map((p, i) => Math.fround((p - (i === 2 || i === 4 ? 1 : 0)) / 2))
    for (const [i, g] of gradient.entries()) expect(g).toBeCloseTo(expected[i] as number, 7)
  })

  it('keeps loss and gradient exact where a probability underflows', () => {
    const { loss, gradient } = softmaxCrossEntropy(Float32Array.of(1000, -1000), Int32Array.of(1), 2)
    expect(loss).toBe(2000)
    expect([...gradient]).toEqual([1, -1])
  })

  it('counts the first of equal logits as the answer', () => {
    expect(softmaxCrossEntropy(Float32Array.of(2, 2, 2, 2), Int32Array.of(0, 1), 2).correct).toBe(1)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no finite loss when a logit is %d', (logit) => {
    expect(softmaxCrossEntropy(Float32Array.of(0, logit), Int32Array.of(0), 2).loss).not.toSatisfy(Number.isFinite)
    expect(softmaxCrossEntropy(Float32Array.of(logit, 0), Int32Array.of(0), 2).loss).not.toSatisfy(Number.isFinite)
  })
})
