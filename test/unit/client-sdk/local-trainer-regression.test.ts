import type { TrainingPlan } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import { splitRows } from '../../../client-sdk/src/training/split.ts'
import type { LocalDataset, TrainingProgress } from '../../../client-sdk/src/training/trainer.ts'
import { describeLayers, linearModel, seeded } from './models.ts'
import { points } from './softmax-regression.ts'

const plan: TrainingPlan = { epochs: 1, batchSize: 12, optimizer: 'sgd', learningRate: 0.25, loss: 'meanSquaredError' }

/** Points of three coordinates; the label is a plane over them. */
function plane(rows: number): LocalDataset {
  const { xs, shape } = points(rows)
  return { xs, shape, labels: Float32Array.from({ length: rows }, (_, i) => estimateBy([2, -1, 0.5, 3], xs, i)) }
}

function estimateBy([a = 0, b = 0, c = 0, d = 0]: ArrayLike<number> & Iterable<number>, xs: Float32Array, row: number): number {
  return a * (xs[3 * row] as number) + b * (xs[3 * row + 1] as number) + c * (xs[3 * row + 2] as number) + d
}

/** Mean squared and absolute error of linear regression (three factors, then the bias) and the former's gradient, in float64. */
function regression({ xs, labels }: LocalDataset, weights: Float32Array) {
  const gradient = new Float64Array(4)
  let [loss, mae] = [0, 0]
  for (const [row, label] of labels.entries()) {
    const error = estimateBy(weights, xs, row) - label
    loss += error ** 2 / labels.length
    mae += Math.abs(error) / labels.length
    for (const [i, x] of [...xs.subarray(3 * row, 3 * row + 3), 1].entries())
      gradient[i] = (gradient[i] as number) + (2 * error * x) / labels.length
  }
  return { loss, mae, gradient }
}

const line = () => describeLayers(tf.layers.dense({ name: 'output', inputShape: [3], units: 1, kernelInitializer: seeded(3) }))

beforeAll(() => selectBackend())

describe('a regressor', () => {
  it('takes the SGD step that linear regression has in closed form, and reports no accuracy', async () => {
    const dataset = plane(12)
    const { model, weights } = await line()
    expect(model).toMatchObject({ classes: 1 })
    const trainer = localTrainer(dataset)
    const seen: TrainingProgress[] = []
    const { delta, ...result } = await trainer.train({ model, weights, plan, seed: 1 }, { onProgress: (p) => seen.push(p) })
    await trainer.close()
    const { loss, gradient } = regression(dataset, weights)
    for (const [i, g] of gradient.entries()) expect(delta[i]).toBeCloseTo(-0.25 * g, 6)
    expect(result).toEqual({ examples: 12, steps: 1, loss: expect.closeTo(loss, 5) })
    expect(seen).toEqual([{ step: 1, steps: 1, loss: result.loss }])
  })

  it('learns the plane, is judged by its errors, and gives one estimate an example', async () => {
    const dataset = plane(200)
    const { model, weights } = await line()
    const trainer = localTrainer(dataset)
    const before = regression(dataset, weights)
    const judged = await trainer.evaluate({ model, weights })
    expect(judged).toEqual({
      examples: 200,
      loss: expect.closeTo(before.loss, 5),
      rmse: expect.closeTo(Math.sqrt(before.loss), 5),
      mae: expect.closeTo(before.mae, 5),
    })
    const { delta } = await trainer.train({ model, weights, plan: { ...plan, epochs: 60 }, seed: 1 })
    const trained = weights.map((weight, i) => weight + (delta[i] as number))
    for (const [i, factor] of [2, -1, 0.5, 3].entries()) expect(trained[i]).toBeCloseTo(factor, 3)
    const estimates = await trainer.predict({ model, weights: trained, xs: dataset.xs })
    expect(estimates).toHaveLength(200)
    for (const [row, estimate] of estimates.entries()) expect(estimate).toBeCloseTo(dataset.labels[row] as number, 2)
    await trainer.close()
  })

  it('keeps the epoch of the least validation error', async () => {
    const dataset = plane(40)
    const { model, weights } = await line()
    const asked = { ...plan, epochs: 3, validation: { fraction: 0.25 }, patience: 1 }
    const trainer = localTrainer(dataset)
    const { delta, validation } = await trainer.train({ model, weights, plan: asked, seed: 1 })
    await trainer.close()
    const rows = [...splitRows(40, asked).validation]
    const kept: LocalDataset = {
      xs: Float32Array.from(rows.flatMap((row) => [...dataset.xs.subarray(3 * row, 3 * row + 3)])),
      shape: [3],
      labels: Float32Array.from(rows, (row) => dataset.labels[row] as number),
    }
    const trained = weights.map((weight, i) => weight + (delta[i] as number))
    expect(validation).toEqual({ examples: 10, loss: expect.closeTo(regression(kept, trained).loss, 5) })
  })

  it('refuses a loss of other models, labels of the other kind, and a softmax that is always 1', async () => {
    const { model, weights } = await line()
    const regressor = localTrainer(plane(12))
    const { loss: _, ...withoutLoss } = plan
    await expect(regressor.train({ model, weights, plan: withoutLoss, seed: 1 })).rejects.toMatchObject({
      code: 'FL_CONFIG_INVALID',
      message: expect.stringMatching(/^plan\.loss: expected "meanSquaredError"/),
    })
    const softmax = await describeLayers(
      tf.layers.dense({ name: 'output', inputShape: [3], units: 1, activation: 'softmax', kernelInitializer: seeded(3) }),
    )
    await expect(regressor.train({ ...softmax, plan, seed: 1 })).rejects.toMatchObject({
      code: 'FL_MODEL_UNSUPPORTED',
      message: expect.stringMatching(/^layer "output": a softmax over one output is always 1/),
    })
    const classifier = localTrainer(points(12))
    await expect(classifier.train({ model, weights, plan, seed: 1 })).rejects.toMatchObject({ code: 'FL_DATASET_SHAPE' })
    await expect(classifier.train({ ...(await linearModel()), plan, seed: 1 })).rejects.toMatchObject({
      code: 'FL_CONFIG_INVALID',
      message: expect.stringMatching(/^plan\.loss: expected "sparseCategoricalCrossentropy"/),
    })
    await Promise.all([regressor.close(), classifier.close()])
  })

  it('names the row for which it gives no number', async () => {
    const { model, weights } = await line()
    const trainer = localTrainer(plane(4))
    const broken = weights.map(() => Number.NaN)
    await expect(trainer.predict({ model, weights: broken, xs: new Float32Array(6) })).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: 'the model gives NaN for row 0',
    })
    await expect(trainer.evaluate({ model, weights: broken })).rejects.toMatchObject({ code: 'FL_NON_FINITE' })
    await trainer.close()
  })
})
