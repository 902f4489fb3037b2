import type { ModelSpec, TrainingPlan } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import type { ClassificationMetrics } from '../../../client-sdk/src/training/metrics.ts'
import { normaliser } from '../../../client-sdk/src/training/normalise.ts'
import { splitRows } from '../../../client-sdk/src/training/split.ts'
import type { LocalDataset, TrainingProgress } from '../../../client-sdk/src/training/trainer.ts'
import { describeLayers, linearModel, seeded } from './models.ts'
import { points, regression } from './softmax-regression.ts'

const plan: TrainingPlan = { epochs: 1, batchSize: 12, optimizer: 'sgd', learningRate: 0.5 }

async function train(dataset: LocalDataset, model: ModelSpec, weights: Float32Array, change: Partial<TrainingPlan>, seed = 1) {
  const trainer = localTrainer(dataset)
  const progress: TrainingProgress[] = []
  try {
    const request = { model, weights, plan: { ...plan, ...change }, seed }
    return { ...(await trainer.train(request, { onProgress: (step) => progress.push(step) })), progress }
  } finally {
    await trainer.close()
  }
}

/** Full-batch gradient descent in float64; `rule` gives the new weights from weights, gradient and step, from 1. */
function descend(
  dataset: LocalDataset,
  start: Float32Array,
  steps: number,
  rule: (weight: number, gradient: number, i: number, step: number) => number,
): Float64Array {
  let weights = Float64Array.from(start)
  for (let step = 1; step <= steps; step++) {
    const { gradient } = regression(dataset, weights)
    weights = weights.map((weight, i) => rule(weight, gradient[i] as number, i, step))
  }
  return weights.map((weight, i) => weight - (start[i] as number))
}

function expectClose(actual: Float32Array, expected: Float64Array): void {
  expect(actual).toHaveLength(expected.length)
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5)
}

let model: ModelSpec
let weights: Float32Array
beforeAll(async () => {
  await selectBackend()
  ;({ model, weights } = await linearModel())
})

describe('optimisers', () => {
  it('momentum adds the part of the last update that the plan says', async () => {
    const dataset = points(12)
    const { delta } = await train(dataset, model, weights, { epochs: 4, momentum: 0.75 })
    const velocity = new Float64Array(8)
    const expected = descend(dataset, weights, 4, (weight, gradient, i) => {
      velocity[i] = 0.75 * (velocity[i] as number) + gradient
      return weight - 0.5 * (velocity[i] as number)
    })
    expectClose(delta, expected)
  })

  it('adamw shrinks the weights by rate times decay beside the step of Adam', async () => {
    const dataset = points(12)
    const step = async (change: Partial<TrainingPlan>) =>
      (await train(dataset, model, weights, { learningRate: 0.125, ...change })).delta
    const [adam, adamw, usual] = [
      await step({ optimizer: 'adam' }),
      await step({ optimizer: 'adamw', weightDecay: 0.5 }),
      await step({ optimizer: 'adamw' }),
    ]
    expectClose(
      adamw,
      Float64Array.from(adam, (change, i) => change - 0.125 * 0.5 * (weights[i] as number)),
    )
    expectClose(
      usual,
      Float64Array.from(adam, (change, i) => change - 0.125 * 0.01 * (weights[i] as number)),
    )
  })
})

describe('the learning rate', () => {
  it('falls from update to update as the plan says', async () => {
    const dataset = points(12)
    const stepped = await train(dataset, model, weights, { epochs: 3, decay: { kind: 'step', every: 1, factor: 0.5 } })
    expectClose(
      stepped.delta,
      descend(dataset, weights, 3, (weight, gradient, _, step) => weight - 0.5 ** step * gradient),
    )
    const cosine = await train(dataset, model, weights, { epochs: 3, decay: { kind: 'cosine' } })
    const rates = [0.5, 0.375, 0.125] // (1 + cos(0, 60, 120 degrees)) / 4
    expectClose(
      cosine.delta,
      descend(dataset, weights, 3, (weight, gradient, _, step) => weight - (rates[step - 1] as number) * gradient),
    )
  })
})

describe('FedProx', () => {
  it('adds mu times the distance from the global weights to the gradient', async () => {
    const dataset = points(12)
    const { delta } = await train(dataset, model, weights, { epochs: 4, proximal: 0.8 })
    const expected = descend(
      dataset,
      weights,
      4,
      (weight, gradient, i) => weight - 0.5 * (gradient + 0.8 * (weight - (weights[i] as number))),
    )
    expectClose(delta, expected)
  })

  it('keeps a client nearer to the global weights', async () => {
    const length = async (change: Partial<TrainingPlan>) =>
      Math.hypot(...(await train(points(12), model, weights, { epochs: 50, ...change })).delta)
    expect(await length({ proximal: 1 })).toBeLessThan(0.5 * (await length({})))
  })
})

describe('validation', () => {
  it('trains on the other examples alone: those that are kept may hold anything', async () => {
    const dataset = points(20)
    const kept = splitRows(20, { validation: { fraction: 0.3 } }).validation
    const changed = { ...dataset, xs: dataset.xs.slice(), labels: dataset.labels.slice() }
    for (const row of kept) {
      changed.xs.fill(1e6, 3 * row, 3 * row + 3)
      changed.labels[row] = 1 - (dataset.labels[row] as number)
    }
    const change = { epochs: 3, batchSize: 4, validation: { fraction: 0.3 } }
    const [first, second] = [await train(dataset, model, weights, change), await train(changed, model, weights, change)]
    expect(second.delta).toEqual(first.delta)
    expect(second.loss).toBe(first.loss)
    expect(second.validation).not.toEqual(first.validation)
    expect(first).toMatchObject({ examples: 14, steps: 12 })
  })

  it('reports loss and accuracy of the trained weights on the kept examples', async () => {
    const dataset = points(20)
    const { delta, validation } = await train(dataset, model, weights, { epochs: 3, validation: { fraction: 0.3, seed: 5 } })
    const kept = splitRows(20, { validation: { fraction: 0.3, seed: 5 } }).validation
    const trained = delta.map((change, i) => change + (weights[i] as number))
    const expected = regression(rowsOf(dataset, kept), trained)
    expect(validation).toMatchObject({ examples: 6, accuracy: expected.accuracy })
    expect(validation?.loss).toBeCloseTo(expected.loss, 5)
  })

  it('comes with the update that closes an epoch, and with no other', async () => {
    const { progress, validation } = await train(points(10), model, weights, {
      epochs: 2,
      batchSize: 4,
      maxSteps: 3,
      validation: { fraction: 0.2 },
    })
    expect(progress.map((step) => step.validation !== undefined)).toEqual([false, true, true])
    expect(progress.at(-1)?.validation).toEqual(validation)
  })

  it('leaves rounds without it as they were', async () => {
    const { progress, ...result } = await train(points(10), model, weights, {})
    expect(result).not.toHaveProperty('validation')
    expect(progress[0]).not.toHaveProperty('validation')
  })
})

describe('patience', () => {
  it('ends the round once the validation loss has not fallen for so many epochs, with the best weights', async () => {
    const dataset = points(20)
    const change = { epochs: 200, batchSize: 4, learningRate: 20, validation: { fraction: 0.4 } } // so large a rate jumps about
    const { progress, steps, delta, validation } = await train(dataset, model, weights, { ...change, patience: 3 })
    const losses = progress.flatMap((step) => (step.validation === undefined ? [] : [step.validation.loss]))
    const best = losses.indexOf(Math.min(...losses))
    expect(losses).toHaveLength(best + 1 + 3)
    expect(steps).toBe(3 * losses.length)
    expect(validation?.loss).toBe(losses[best])
    const upToBest = await train(dataset, model, weights, { ...change, epochs: best + 1 })
    expect(delta).toEqual(upToBest.delta)
  })

  it('takes the best of all epochs where the round ends first', async () => {
    const change = { epochs: 5, batchSize: 4, learningRate: 20, validation: { fraction: 0.4 }, patience: 1000 }
    const { progress, steps, validation } = await train(points(20), model, weights, change)
    const losses = progress.flatMap((step) => (step.validation === undefined ? [] : [step.validation.loss]))
    expect(steps).toBe(15)
    expect(validation?.loss).toBe(Math.min(...losses))
  })
})

describe('normalisation', () => {
  it('is what training on normalised data gives', async () => {
    const raw = points(20)
    const dataset = { ...raw, xs: raw.xs.map((x, i) => ((i % 3) + 1) * 100 * x - 50 * (i % 3)) }
    const normalise = normaliser(dataset, splitRows(20, {}).training, { normalise: {} })
    const prepared = { ...dataset, xs: dataset.xs.slice() }
    for (let row = 0; row < 20; row++) normalise?.(prepared.xs.subarray(3 * row, 3 * row + 3))
    const [ours, theirs] = [
      await train(dataset, model, weights, { epochs: 3, normalise: {} }),
      await train(prepared, model, weights, { epochs: 3 }),
    ]
    expect(ours.delta).toEqual(theirs.delta)
  })

  it('takes no number from the examples kept for validation, and holds for them too', async () => {
    const dataset = points(20)
    const validation = { fraction: 0.3 }
    const { training, validation: kept } = splitRows(20, { validation })
    const { delta, validation: judged } = await train(dataset, model, weights, { validation, normalise: {} })
    const trained = delta.map((change, i) => change + (weights[i] as number))
    const normalise = normaliser(dataset, training, { normalise: {} })
    const part = rowsOf(dataset, kept)
    for (let row = 0; row < kept.length; row++) normalise?.(part.xs.subarray(3 * row, 3 * row + 3))
    expect(judged?.loss).toBeCloseTo(regression(part, trained).loss, 5)
  })
})

describe('augmentation', () => {
  it('varies what is trained on, by the seed, and not what is judged', async () => {
    const images: LocalDataset = { ...points(30), shape: [3, 1, 1] }
    const { model: cnn, weights: start } = await describeLayers(
      tf.layers.flatten({ inputShape: [3, 1, 1] }),
      tf.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: seeded(1) }),
    )
    const change = { batchSize: 8, augment: { shift: 1, rotate: 10, noise: 0.1 }, validation: { fraction: 0.2 } }
    const [first, same, other, plain] = [
      await train(images, cnn, start, change),
      await train(images, cnn, start, change),
      await train(images, cnn, start, change, 2),
      await train(images, cnn, start, { batchSize: 8, validation: { fraction: 0.2 } }),
    ]
    expect(same.delta).toEqual(first.delta)
    expect(other.delta).not.toEqual(first.delta)
    expect(plain.delta).not.toEqual(first.delta)
    const trained = first.delta.map((weight, i) => weight + (start[i] as number))
    const kept = splitRows(30, { validation: { fraction: 0.2 } }).validation
    expect(first.validation?.loss).toBeCloseTo(regression(rowsOf(images, kept), trained).loss, 5)
  })
})

describe('evaluate', () => {
  it('judges weights on all examples, or on those that the plan keeps', async () => {
    const dataset = points(300)
    const trainer = localTrainer(dataset)
    const all = (await trainer.evaluate({ model, weights })) as ClassificationMetrics
    const expected = regression(dataset, weights)
    expect(all).toMatchObject({ examples: 300, accuracy: expected.accuracy })
    expect(all.loss).toBeCloseTo(expected.loss, 6)
    expect(all.confusion.reduce((sum, n) => sum + n, 0)).toBe(300)
    const plan = { validation: { fraction: 0.1 } }
    const kept = rowsOf(dataset, splitRows(300, plan).validation)
    expect(await trainer.evaluate({ model, weights, plan })).toMatchObject({
      examples: 30,
      accuracy: regression(kept, weights).accuracy,
    })
    await trainer.close()
  })

  it('says what the round said about the same weights', async () => {
    const dataset = points(40)
    const asked = { validation: { fraction: 0.25 }, normalise: {} }
    const { delta, validation } = await train(dataset, model, weights, asked)
    const trainer = localTrainer(dataset)
    const trained = weights.map((weight, i) => weight + (delta[i] as number))
    const judged = await trainer.evaluate({ model, weights: trained, plan: asked })
    expect(judged).toMatchObject({ examples: validation?.examples, accuracy: validation?.accuracy })
    expect(judged.loss).toBeCloseTo(validation?.loss as number, 6)
    await trainer.close()
  })

  it('names the rows for which the model gives NaN, stops when it is told to, and refuses other weights', async () => {
    const trainer = localTrainer(points(300))
    const broken = weights.map(() => Number.NaN)
    await expect(trainer.evaluate({ model, weights: broken })).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: 'the loss is NaN on the 128 examples from row 0 on',
    })
    await expect(trainer.evaluate({ model, weights }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'FL_STOPPED',
    })
    await expect(trainer.evaluate({ model, weights: new Float32Array(3) })).rejects.toMatchObject({ code: 'FL_UPDATE_SHAPE' })
    await trainer.close()
    await expect(trainer.evaluate({ model, weights })).rejects.toMatchObject({ code: 'FL_STOPPED' })
  })
})

function rowsOf({ xs, labels, shape }: LocalDataset, rows: Uint32Array): LocalDataset {
  const chosen = [...rows]
  return {
    xs: Float32Array.from(chosen.flatMap((row) => [...xs.subarray(3 * row, 3 * row + 3)])),
    labels: Int32Array.from(chosen, (row) => labels[row] as number),
    shape,
  }
}
