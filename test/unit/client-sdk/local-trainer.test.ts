import type { ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import type { LocalDataset } from '../../../client-sdk/src/training/trainer.ts'
import { describeLayers, linearModel, seeded } from './models.ts'
import { points, regression } from './softmax-regression.ts'

const plan: TrainingPlan = { epochs: 1, batchSize: 8, optimizer: 'sgd', learningRate: 0.5 }

async function trainOnce(
  dataset: LocalDataset,
  model: ModelSpec,
  weights: Float32Array,
  change: Partial<TrainingPlan> = {},
  seed = 1,
) {
  const trainer = localTrainer(dataset)
  try {
    return await trainer.train({ model, weights, plan: { ...plan, ...change }, seed })
  } finally {
    await trainer.close()
  }
}

const expectClose = (actual: Float32Array, expected: Float64Array) => {
  expect(actual).toHaveLength(expected.length)
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6)
}

beforeAll(() => selectBackend())

describe('localTrainer', () => {
  it('takes the SGD step that softmax regression has in closed form, and measures it before the update', async () => {
    const dataset = points(12)
    const { model, weights } = await linearModel()
    const result = await trainOnce(dataset, model, weights, { batchSize: 12 })
    const { loss, accuracy, gradient } = regression(dataset, weights)
    expectClose(
      result.delta,
      gradient.map((g) => -0.5 * g),
    )
    expect(result.loss).toBeCloseTo(loss, 6)
    expect(result).toMatchObject({ accuracy, examples: 12, steps: 1 })
  })

  it("adds a layer's regulariser to the gradient", async () => {
    const dataset = points(12)
    const { model, weights } = await linearModel(tf.regularizers.l2({ l2: 0.25 }))
    const { delta } = await trainOnce(dataset, model, weights, { batchSize: 12 })
    const { gradient } = regression(dataset, weights)
    expectClose(
      delta,
      gradient.map((g, i) => -0.5 * (g + (i < 6 ? 2 * 0.25 * (weights[i] as number) : 0))),
    )
  })

  it('starts Adam anew each round', async () => {
    const dataset = points(12)
    const { model, weights } = await linearModel()
    const trainer = localTrainer(dataset)
    const { gradient } = regression(dataset, weights)
    for (let round = 0; round < 2; round++) {
      const { delta } = await trainer.train({
        model,
        weights,
        plan: { ...plan, batchSize: 12, optimizer: 'adam', learningRate: 0.01 },
        seed: 1,
      })
      expectClose(
        delta,
        gradient.map((g) => (-0.01 * g) / (Math.abs(g) + 1e-7)),
      ) // Kingma and Ba 2015, Alg. 1 at t = 1
    }
    await trainer.close()
  })

  it('trains on the partial last batch too', async () => {
    const dataset = points(10)
    const { model, weights } = await linearModel()
    expect(await trainOnce(dataset, model, weights, { epochs: 2, batchSize: 4 })).toMatchObject({ steps: 6, examples: 10 })
    expect(await trainOnce(dataset, model, weights, { epochs: 2, batchSize: 4, maxSteps: 2 })).toMatchObject({
      steps: 2,
      examples: 8,
    })
    const learned = await trainOnce(dataset, model, weights, { epochs: 100, batchSize: 4 })
    expect(learned.accuracy).toBeGreaterThan(0.9)
  })

  it('gives the same bytes for the same seed, through dropout too, and others for another seed', async () => {
    const dataset = points(20)
    const { model, weights } = await describeLayers(
      tf.layers.dense({ inputShape: [3], units: 8, activation: 'relu', kernelInitializer: seeded(1) }),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: seeded(2) }),
    )
    const bytes = async (seed: number) =>
      Buffer.from((await trainOnce(dataset, model, weights, { batchSize: 20, epochs: 4 }, seed)).delta.buffer)
    expect((await bytes(1)).equals(await bytes(1))).toBe(true)
    expect((await bytes(1)).equals(await bytes(2))).toBe(false)
  })

  it('reports each step; the last report is the result', async () => {
    const dataset = points(10)
    const { model, weights } = await linearModel()
    const trainer = localTrainer(dataset)
    const seen: unknown[] = []
    const result = await trainer.train(
      { model, weights, plan: { ...plan, batchSize: 4 }, seed: 1 },
      { onProgress: (p) => seen.push(p) },
    )
    expect(seen).toMatchObject([{ step: 1, steps: 3 }, { step: 2 }, { step: 3, loss: result.loss, accuracy: result.accuracy }])
    await trainer.close()
  })

  it('stops within one step of an abort or a close, and then trains no more', async () => {
    const dataset = points(10)
    const { model, weights } = await linearModel()
    const request = { model, weights, plan: { ...plan, epochs: 1000 }, seed: 1 }
    const before = tf.memory().numTensors
    const trainer = localTrainer(dataset)
    let steps = 0
    const stop = new AbortController()
    const onProgress = () => {
      if (++steps === 3) stop.abort()
    }
    await expect(trainer.train(request, { signal: stop.signal, onProgress })).rejects.toMatchObject({ code: 'FL_STOPPED' })
    expect(steps).toBe(3)
    await expect(trainer.train(request, { onProgress: () => void trainer.close() })).rejects.toMatchObject({ code: 'FL_STOPPED' })
    await expect(trainer.train(request)).rejects.toMatchObject({ code: 'FL_STOPPED' })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('names the step at which training diverged', async () => {
    const dataset = points(8)
    const { model, weights } = await linearModel()
    await expect(
      trainOnce(
        dataset,
        model,
        weights.map(() => Number.NaN),
      ),
    ).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: 'the loss is NaN at step 1 of 1',
    })
    await expect(trainOnce(dataset, model, weights, { learningRate: 1e39 })).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: expect.stringMatching(/^the delta holds -?Infinity after step 1$/),
    })
    await expect(trainOnce(dataset, model, weights, { learningRate: 1e39, epochs: 3 })).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: 'the loss is NaN at step 2 of 3',
    })
  })

  it('names the layer and the op that have no gradient', async () => {
    const dataset: LocalDataset = { xs: new Float32Array(2), shape: [1], labels: Int32Array.of(0, 1) }
    const { model, weights } = await describeLayers(
      tf.layers.embedding({ inputShape: [1], inputDim: 2, outputDim: 2, embeddingsInitializer: seeded(1) }),
      tf.layers.flatten(),
      tf.layers.thresholdedReLU({ name: 'threshold', theta: 0.5 }),
      tf.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: seeded(2) }),
    )
    await expect(trainOnce(dataset, model, weights)).rejects.toMatchObject({
      code: 'FL_MODEL_UNSUPPORTED',
      message: expect.stringMatching(/^layer "threshold": .* Greater/),
    })
  })

  it('refuses weights of another length and data of another shape', async () => {
    const { model, weights } = await linearModel()
    await expect(trainOnce(points(8), model, weights.slice(1))).rejects.toMatchObject({ code: 'FL_UPDATE_SHAPE' })
    await expect(trainOnce({ ...points(8), shape: [1, 3] }, model, weights)).rejects.toMatchObject({ code: 'FL_DATASET_SHAPE' })
  })

  it('leaves no tensor behind in 20 rounds, failed ones included', async () => {
    const dataset = points(10)
    const { model, weights } = await linearModel()
    const before = tf.memory().numTensors
    const trainer = localTrainer(dataset)
    const request = { model, weights, plan: { ...plan, batchSize: 4 }, seed: 1 }
    await trainer.train(request)
    const { numTensors, numBytes } = tf.memory()
    for (let round = 0; round < 20; round++) {
      const optimizer = round % 2 === 0 ? 'sgd' : 'adam'
      await trainer.train({ ...request, plan: { ...request.plan, optimizer } })
      await expect(trainer.train({ ...request, weights: weights.map(() => Number.NaN) })).rejects.toThrow()
      expect(tf.memory()).toMatchObject({ numTensors, numBytes })
    }
    await trainer.close()
    expect(tf.memory().numTensors).toBe(before)
  })
})
