import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { localTrainer } from '@fedweave/client/tfjs'
import { Random } from '@fedweave/client/training'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEvaluator } from '../../server/src/evaluation/evaluator.ts'
import {
  enrolmentKey,
  operatorKey,
  type RunningServer,
  startServer,
  TINY_DATA,
  TINY_TOPOLOGY,
  tinyClient,
  tinyTask,
} from './support.ts'

/** The tiny model with one linear output: 5 parameters. */
const topology = TINY_TOPOLOGY.replace('"units":3,"activation":"softmax"', '"units":1,"activation":"linear"')
const plan = { epochs: 20, batchSize: 8, optimizer: 'sgd', learningRate: 0.1, loss: 'meanSquaredError' }

/** Noise in four columns; the label is the sum of two of them, less half. */
function numbers(rows: number, seed: number) {
  const random = new Random(seed)
  const xs = Float32Array.from({ length: 4 * rows }, () => random.uint32() / 2 ** 31 - 1)
  return { xs, shape: [4], labels: Float32Array.from({ length: rows }, (_, i) => (xs[4 * i] ?? 0) + (xs[4 * i + 2] ?? 0) - 0.5) }
}

let folder: string
let server: RunningServer | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-regression-'))
})
afterEach(async () => {
  await server?.app.close()
  server = undefined
  await rm(folder, { recursive: true })
})

test('a task with mean squared error is trained, judged by its errors and told of without accuracy', async () => {
  const { xs, shape, labels } = numbers(50, 9)
  const file = join(folder, 'held-out.json')
  await writeFile(file, JSON.stringify({ shape, classes: 1, labels: [...labels], xs: [...xs] }))
  server = await startServer(tinyTask({ model: { topology }, plan, evaluation: { file } }))
  const { url, events, app, disk } = server
  const told: unknown[] = []
  const clients = Array.from({ length: 3 }, async (_, i) => {
    const client = await tinyClient(url, `forecaster-${i}`, { dataset: numbers(40, i), trainer: (data) => localTrainer(data) })
    if (i === 0) client.on('round', ({ evaluation }) => told.push(evaluation))
    return client.run()
  })
  expect((await Promise.all(clients)).map(({ rounds }) => rounds)).toEqual([1, 1, 1])

  const { evaluation } = (await (await fetch(`${url}/v1/tasks/tiny`)).json()) as { evaluation: Record<string, number> }
  expect(Object.keys(evaluation)).toEqual(['examples', 'loss', 'rmse', 'mae'])
  expect(evaluation.examples).toBe(50)
  expect(evaluation.rmse).toBe(Math.sqrt(evaluation.loss as number))
  expect(evaluation.rmse).toBeLessThan(0.1) // the labels' own deviation is 0.8
  expect(evaluation.mae).toBeLessThanOrEqual(evaluation.rmse as number)
  expect(told).toEqual([evaluation])
  const committed = events.find(({ type }) => type === 'committed')
  expect(committed).toMatchObject({ evaluation, loss: expect.any(Number) })
  expect(committed).not.toHaveProperty('accuracy')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toContain('fedweave_evaluation_rmse{task="tiny"} ')
  expect(metrics).not.toMatch(/^fedweave_evaluation_accuracy\{/m)

  const { signedConfig } = app.hub.task('tiny').history
  expect(verifyJournal(nodeCurves, signedConfig, disk.journal, { operatorKey, enrolmentKey }).problems).toEqual([])
})

test('the evaluation thread judges a regressor as sums written out by hand do, and names an example without an estimate', async () => {
  const { xs, shape, labels } = numbers(6, 4)
  const file = join(folder, 'numbers.json')
  await writeFile(file, JSON.stringify({ shape, classes: 1, labels: [...labels], xs: [...xs] }))
  const evaluator = await startEvaluator({ file })
  const { spec } = await evaluator.describe(topology)
  expect(spec).toMatchObject({ inputShape: [4], classes: 1 })
  const errors = Array.from(labels, (label, i) => 2 * (xs[4 * i + 1] as number) + 0.25 - label) // estimates twice the second column, plus 0.25
  const loss = errors.reduce((sum, error) => sum + error ** 2, 0) / 6
  const mae = errors.reduce((sum, error) => sum + Math.abs(error), 0) / 6
  const close = (value: number) => expect.closeTo(value, 6)
  expect(await evaluator.evaluate(spec, Float32Array.of(0, 2, 0, 0, 0.25))).toEqual({
    examples: 6,
    loss: close(loss),
    rmse: close(Math.sqrt(loss)),
    mae: close(mae),
  })
  await expect(evaluator.evaluate(spec, Float32Array.of(0, 0, 0, 0, Number.NaN))).rejects.toMatchObject({
    code: 'FL_NON_FINITE',
    message: 'the model gives NaN for evaluation example 0',
  })
  await evaluator.close()
})

test('a client that brings classes is told so when it joins', async () => {
  server = await startServer(tinyTask({ model: { topology }, plan }))
  const client = await tinyClient(server.url, 'classes', { dataset: TINY_DATA })
  await expect(client.run()).rejects.toMatchObject({
    code: 'FL_DATASET_SHAPE',
    message: 'expected numbers as labels, a Float32Array, for a model of one output',
  })
})

test.each([
  ['one output', topology, undefined, 'plan.loss: expected "meanSquaredError" for a model of one output'],
  ['classes', TINY_TOPOLOGY, 'meanSquaredError', 'plan.loss: expected "sparseCategoricalCrossentropy" for a model of 3 outputs'],
])('a server does not start with the other loss for %s', async (_, model, loss, message) => {
  const starting = startServer(tinyTask({ model: { topology: model }, plan: { ...plan, loss } }))
  await expect(starting).rejects.toMatchObject({ code: 'FL_CONFIG_INVALID', message: expect.stringContaining(message) })
})
