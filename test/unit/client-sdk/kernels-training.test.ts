import { Adam, AdamW, installKernels, Momentum, Sgd } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { beforeAll, describe, expect, test } from 'vitest'
import { batch, mcmahanCnn, referenceCnn } from './kernels-models.ts'

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => new Sgd({ learningRate: 0.05 }),
  momentum: () => new Momentum({ learningRate: 0.01, useNesterov: true }),
  adam: () => new Adam(),
  adamw: () => new AdamW(),
}

function compiled(build: () => tf.Sequential, optimizer: tf.Optimizer): tf.Sequential {
  const model = build()
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  return model
}

/** Loss before each of `steps` steps on one batch. */
async function train(model: tf.Sequential, steps: number): Promise<number[]> {
  const { x, y } = batch(10)
  const losses: number[] = []
  for (let i = 0; i < steps; i++) losses.push((await model.trainOnBatch(x, y)) as number)
  tf.dispose([x, y])
  return losses
}

function bytes(tensors: tf.Tensor[]): Buffer {
  return Buffer.concat(tensors.map((tensor) => Buffer.from(tensor.dataSync<'float32'>().slice().buffer)))
}

beforeAll(async () => {
  await tf.setBackend('wasm')
  await installKernels()
})

describe.each(Object.entries(optimizers))('training with %s', (_, create) => {
  test('lowers the loss through trainOnBatch, and leaves no tensor and no memory behind', async () => {
    const optimizer = create()
    const model = compiled(referenceCnn, optimizer)
    await train(model, 2)
    const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }
    const before = { ...tf.memory(), ids: tf.engine().backend.numDataIds(), heap: wasm.HEAPU8.length }
    const losses = await train(model, 10)
    const after = { ...tf.memory(), ids: tf.engine().backend.numDataIds(), heap: wasm.HEAPU8.length }
    expect(after).toEqual(before)
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] as number))
    model.dispose()
    optimizer.dispose()
  })

  test('gives the same bytes in two runs', async () => {
    const runs: Buffer[] = []
    for (let run = 0; run < 2; run++) {
      const model = compiled(mcmahanCnn, create())
      await train(model, 3)
      runs.push(bytes(model.getWeights()))
      model.dispose()
    }
    expect(runs[0]?.equals(runs[1] as Buffer)).toBe(true)
  })

  test('leaves weights that were handed out before a step as they were', async () => {
    const model = compiled(referenceCnn, create())
    const handedOut = model.getWeights().map((weight) => weight.clone())
    const before = bytes(handedOut)
    await train(model, 1)
    expect(bytes(handedOut).equals(before)).toBe(true)
    expect(bytes(model.getWeights()).equals(before)).toBe(false)
    tf.dispose(handedOut)
    model.dispose()
  })

  test('goes on, from a saved state, as if it had not stopped', async () => {
    const [kept, restored] = [create(), create()]
    const step = (optimizer: tf.Optimizer, weights: tf.Variable) =>
      optimizer.minimize(() => weights.sub(1).square().sum() as tf.Scalar, false, [weights])
    const weights = tf.variable(tf.tensor1d([0.5, -2, 3]))
    step(kept, weights)
    step(kept, weights)
    await restored.setWeights(await kept.getWeights())
    const beginning = weights.clone()
    step(kept, weights)
    const expected = bytes([weights])
    weights.assign(beginning)
    step(restored, weights)
    expect(bytes([weights]).equals(expected)).toBe(true)
  })
})

test('fit trains with the stock optimisers too', async () => {
  const model = compiled(referenceCnn, tf.train.adam())
  const { x, y } = batch(20)
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 10, shuffle: false, verbose: 0 })
  const losses = history.loss as number[]
  expect(losses[2]).toBeLessThan(0.9 * (losses[0] as number))
})

test('a learning rate that is set between two steps holds from the next step on', () => {
  const optimizer = new Sgd({ learningRate: 1 })
  const weight = tf.variable(tf.scalar(0))
  const step = () => optimizer.minimize(() => weight.mul(-1) as tf.Scalar, false, [weight])
  step()
  optimizer.setLearningRate(0.25)
  step()
  expect(weight.dataSync()[0]).toBe(1.25)
  expect(optimizer.getConfig()).toEqual({ learningRate: 0.25 })
})
