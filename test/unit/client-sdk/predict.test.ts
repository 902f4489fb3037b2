import { FedweaveError, TensorLayout } from '@fedweave/aggregator'
import { describeModel, localTrainer } from '@fedweave/client/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TINY_TOPOLOGY } from '../../integration/support.ts'

describe('predict', () => {
  const trainer = localTrainer({ xs: new Float32Array(0), shape: [4], labels: new Int32Array(0) })
  let tiny: Awaited<ReturnType<typeof describeModel>>
  beforeAll(async () => {
    tiny = await describeModel(TINY_TOPOLOGY)
  })
  afterAll(() => trainer.close())

  /** Softmax of xs W + b, in float64. */
  function byHand(xs: Float32Array, weights: Float32Array): number[] {
    const [kernel, bias] = new TensorLayout(tiny.model.tensors).views(weights) as [Float32Array, Float32Array]
    return Array.from({ length: xs.length / 4 }, (_, row) => {
      const logits = Array.from(bias, (b, c) =>
        [0, 1, 2, 3].reduce((sum, i) => sum + (xs[row * 4 + i] as number) * (kernel[i * 3 + c] as number), b),
      )
      const exponentials = logits.map(Math.exp)
      return exponentials.map((value) => value / exponentials.reduce((a, b) => a + b))
    }).flat()
  }

  it('gives the softmax of the logits for every example, of which a client needs none itself', async () => {
    const xs = Float32Array.from({ length: 4 * 300 }, (_, i) => Math.sin(i)) // more than go through at once
    const got = await trainer.predict({ ...tiny, xs })
    expect(got).toHaveLength(900)
    for (const [i, probability] of byHand(xs, tiny.weights).entries()) expect(got[i]).toBeCloseTo(probability, 5)
  })

  it('sees examples as training did: normalised by the numbers of the plan', async () => {
    const plan = { normalise: { mean: [1], std: [2] } }
    const got = await trainer.predict({ ...tiny, xs: Float32Array.of(3, 1, -1, 5), plan })
    expect(got).toEqual(await trainer.predict({ ...tiny, xs: Float32Array.of(1, 0, -1, 2) }))
  })

  it.each([
    ['half an example', Float32Array.of(1, 2), 'FL_DATASET_SHAPE'],
    ['a NaN', Float32Array.of(1, 2, 3, 4, 5, Number.NaN, 7, 8), 'FL_NON_FINITE'],
  ])('refuses %s', async (_, xs, code) => {
    const error = await trainer.predict({ ...tiny, xs }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(FedweaveError)
    expect(error).toMatchObject({ code })
  })
})
