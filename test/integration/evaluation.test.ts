import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { referenceCnn } from '../../client-sdk/src/tfjs/reference-model.ts'
import { type Evaluator, startEvaluator } from '../../server/src/evaluation/evaluator.ts'
import { buildModel, describeModel, evaluateModel } from '../../server/src/evaluation/model.ts'
import { loadTensorFlow, type TensorFlow } from '../../server/src/evaluation/tensorflow.ts'
import { mnist } from '../../simulations/src/data/mnist.ts'
import { cnnForward } from './cnn-forward.ts'

/** A layers model as JSON, from (class, config) pairs. */
function sequential(...layers: readonly (readonly [class_name: string, config: object])[]): string {
  return JSON.stringify({
    class_name: 'Sequential',
    config: { name: 'model', layers: layers.map(([class_name, config]) => ({ class_name, config })) },
  })
}
const dense = (units: number, activation: string, more: object = {}) =>
  ['Dense', { name: `dense_${units}`, units, activation, ...more }] as const

/** Points on the plane in 3 classes, by a softmax over x W + b. */
const planar = sequential(dense(3, 'softmax', { batch_input_shape: [null, 2] }))
const planarWeights = Float32Array.of(1, 0, -1, 0, 2, 0, 0.5, -0.5, 0) // W row by row, then b
const points = {
  shape: [2],
  xs: [
    [1, 0],
    [0, 1],
    [-1, 0],
    [2, 2],
    [0, 0],
    [-3, 1],
  ],
  labels: [0, 1, 2, 0, 1, 2],
  classes: 3,
}

/** The same in float64, written out. */
function planarOracle() {
  const [a, b, c, d, e, f, p, q, r] = planarWeights as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const rows = points.xs.map((point) => {
    const [x, y] = point as [number, number]
    const powers = [a * x + d * y + p, b * x + e * y + q, c * x + f * y + r].map(Math.exp)
    const total = powers.reduce((sum, power) => sum + power, 0)
    return powers.map((power) => power / total)
  })
  const loss = rows.reduce((sum, row, i) => sum - Math.log(row[points.labels[i] as number] as number), 0) / rows.length
  return { loss, predicted: rows.map((row) => row.indexOf(Math.max(...row))) }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-evaluation-'))
  await writeFile(join(folder, 'points.json'), JSON.stringify(points))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the evaluation thread', () => {
  let evaluator: Evaluator
  beforeAll(async () => {
    evaluator = await startEvaluator({ file: join(folder, 'points.json') })
  })
  afterAll(() => evaluator.close())

  test('judges weights as a forward pass written out by hand does', async () => {
    const { spec } = await evaluator.describe(planar)
    const { loss, predicted } = planarOracle()
    expect(predicted).toEqual([0, 1, 2, 1, 0, 2])
    const result = await evaluator.evaluate(spec, planarWeights)
    expect(result.loss).toBeCloseTo(loss, 6)
    expect(result).toMatchObject({
      examples: 6,
      accuracy: 4 / 6,
      recall: (1 / 2 + 1 / 2 + 1) / 3,
      perClass: [
        { precision: 1 / 2, recall: 1 / 2 },
        { precision: 1 / 2, recall: 1 / 2 },
        { precision: 1, recall: 1 },
      ],
    })
    expect([...planarWeights]).toEqual([1, 0, -1, 0, 2, 0, 0.5, -0.5, 0]) // still the caller's
  })

  test('answers calls that are made at once each with its own result', async () => {
    const { spec } = await evaluator.describe(planar)
    const onlyClass = (index: number) => Float32Array.from({ length: 9 }, (_, i) => (i === 6 + index ? 50 : 0))
    const results = await Promise.all([0, 1, 2].map((index) => evaluator.evaluate(spec, onlyClass(index))))
    for (const [index, { perClass }] of results.entries()) {
      expect(perClass?.map(({ recall }) => recall)).toEqual([0, 1, 2].map((each) => (each === index ? 1 : 0)))
    }
  })

  test('describes the reference CNN: its tensors in order and the weights of its seed', async () => {
    const { spec, weights } = await evaluator.describe(referenceCnn(7))
    expect(spec).toEqual({
      topology: referenceCnn(7),
      inputShape: [28, 28, 1],
      classes: 10,
      tensors: [
        { name: 'conv/kernel', shape: [3, 3, 1, 32] },
        { name: 'conv/bias', shape: [32] },
        { name: 'hidden/kernel', shape: [5408, 128] },
        { name: 'hidden/bias', shape: [128] },
        { name: 'output/kernel', shape: [128, 10] },
        { name: 'output/bias', shape: [10] },
      ],
    })
    expect(weights.length).toBe(693_962)
    const again = await evaluator.describe(referenceCnn(7))
    expect(again.spec).toEqual(spec) // TensorFlow.js numbers the names of a second copy
    expect(Buffer.compare(Buffer.from(again.weights.buffer), Buffer.from(weights.buffer))).toBe(0)
  })

  test.each([
    ['no JSON', 'conv', 'the topology does not load'],
    ['an unknown layer', sequential(['Magic', {}]), 'Magic'],
    ['no input shape', sequential(dense(3, 'softmax')), 'The first layer in a Sequential model must get'],
    [
      'an open input shape',
      sequential(['GlobalAveragePooling1D', { name: 'pool', batch_input_shape: [null, null, 4] }], dense(3, 'softmax')),
      'expected a fixed input shape',
    ],
    [
      'weights nobody trains',
      sequential(['BatchNormalization', { name: 'norm', batch_input_shape: [null, 4] }], dense(3, 'softmax')),
      'norm/moving_mean, norm/moving_variance',
    ],
    ['a softmax over one unit', sequential(dense(1, 'softmax', { batch_input_shape: [null, 4] })), 'is always 1'],
    [
      'an output for each step',
      sequential(dense(3, 'softmax', { batch_input_shape: [null, 4, 2] })),
      'expected one output for each class, or one number, got the output shape [, 4, 3]',
    ],
    ['logits', sequential(dense(3, 'linear', { batch_input_shape: [null, 4] })), 'end the model with softmax'],
  ])('refuses a model with %s', async (_, topology, message) => {
    await expect(evaluator.describe(topology)).rejects.toMatchObject({
      code: 'FL_MODEL_UNSUPPORTED',
      message: expect.stringContaining(message),
    })
  })

  test('refuses weights of another number, data of another shape, and a model that gives NaN; and goes on', async () => {
    const { spec } = await evaluator.describe(planar)
    await expect(evaluator.evaluate(spec, new Float32Array(8))).rejects.toMatchObject({
      code: 'FL_UPDATE_SHAPE',
      message: 'expected 9 values, got 8',
    })
    await expect(evaluator.evaluate(spec, new Float32Array(9).fill(Number.NaN))).rejects.toMatchObject({
      code: 'FL_NON_FINITE',
      message: 'the model gives NaN for evaluation example 0',
    })
    const cnn = await evaluator.describe(referenceCnn(7))
    await expect(evaluator.evaluate(cnn.spec, cnn.weights)).rejects.toMatchObject({
      code: 'FL_DATASET_SHAPE',
      message: 'the evaluation data are [2] in 3 classes, the model takes [28, 28, 1] in 10 classes',
    })
    expect((await evaluator.evaluate(spec, planarWeights)).examples).toBe(6)
  })
})

test('the evaluator starts only with data that load, and without a source it only describes', async () => {
  await expect(startEvaluator({ file: join(folder, 'none.json') })).rejects.toMatchObject({ code: 'FL_CONFIG_INVALID' })
  const evaluator = await startEvaluator()
  const { spec, weights } = await evaluator.describe(planar)
  await expect(evaluator.evaluate(spec, weights)).rejects.toMatchObject({
    code: 'FL_CONFIG_INVALID',
    message: 'the config names no evaluation data',
  })
  await evaluator.close()
})

test('a thread that died is replaced by one that has the data again', async () => {
  const [die, died] = [join(folder, 'die'), join(folder, 'died')]
  await writeFile(
    join(folder, 'dies-once.mjs'),
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs'
    if (!existsSync(${JSON.stringify(died)})) setInterval(() => {
      if (!existsSync(${JSON.stringify(die)})) return
      writeFileSync(${JSON.stringify(died)}, '')
      process.exit(3)
    }, 10)
    export const evaluationData = () => {
      const { xs, labels, ...rest } = JSON.parse(readFileSync(${JSON.stringify(join(folder, 'points.json'))}, 'utf8'))
      return { ...rest, xs: Float32Array.from(xs.flat()), labels: Int32Array.from(labels) }
    }`,
  )
  const evaluator = await startEvaluator({ module: join(folder, 'dies-once.mjs') })
  const { spec } = await evaluator.describe(planar)
  await writeFile(die, '')
  await expect.poll(() => existsSync(died)).toBe(true)
  expect((await evaluator.evaluate(spec, planarWeights)).accuracy).toBe(4 / 6)
  await evaluator.close()
})

test('closing rejects calls under way and later ones', async () => {
  const evaluator = await startEvaluator()
  const underWay = expect(evaluator.describe(planar)).rejects.toMatchObject({ code: 'FL_STOPPED' })
  await evaluator.close()
  await underWay
  await expect(evaluator.describe(planar)).rejects.toMatchObject({ code: 'FL_STOPPED' })
})

test('MNIST is found by the name of the module in simulations', async () => {
  const evaluator = await startEvaluator({ module: '@fedweave/simulations/data/mnist-test' })
  const { spec, weights } = await evaluator.describe(referenceCnn(7))
  weights.fill(0) // every class gets 1/10, so that 0 is predicted
  const { examples, loss, accuracy, recall } = await evaluator.evaluate(spec, weights)
  expect(examples).toBe(10_000)
  expect(loss).toBeCloseTo(Math.log(10), 6)
  expect(accuracy).toBe(980 / 10_000) // of the 10,000 test images, 980 show a 0
  expect(recall).toBe(1 / 10)
  await evaluator.close()
})

test('nothing is printed on the console', async () => {
  const evaluator = new URL('../../server/src/evaluation/evaluator.ts', import.meta.url).href
  const script = `
    import { startEvaluator } from ${JSON.stringify(evaluator)}
    const evaluator = await startEvaluator({ file: ${JSON.stringify(join(folder, 'points.json'))} })
    const { spec, weights } = await evaluator.describe(${JSON.stringify(planar)})
    await evaluator.evaluate(spec, weights)
    await evaluator.close()`
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script])
  const exited = once(child, 'exit')
  const printed = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => (await stream.setEncoding('utf8').toArray()).join('')),
  )
  expect(printed).toEqual(['', ''])
  expect(await exited).toEqual([0, null])
})

describe('in this thread', () => {
  let tf: TensorFlow
  beforeAll(async () => {
    tf = await loadTensorFlow()
  })

  test('the WebAssembly backend runs', () => {
    expect(tf.getBackend()).toBe('wasm')
  })

  test('the reference CNN predicts 200 MNIST images as plain loops do', async () => {
    const data = mnist(
      'test',
      Int32Array.from({ length: 200 }, (_, i) => i),
    )
    const model = await buildModel(tf, referenceCnn(7))
    const { spec, weights } = describeModel(tf, model, referenceCnn(7))
    const result = evaluateModel(tf, model, spec, weights, data)
    model.dispose()

    const oracle = (data.labels as Int32Array).reduce(
      (sum, label, i) => {
        const row = cnnForward(weights, data.xs.subarray(i * 784, (i + 1) * 784))
        const right = row.indexOf(Math.max(...row)) === label
        return { right: sum.right + Number(right), loss: sum.loss - Math.log(row[label] as number) }
      },
      { right: 0, loss: 0 },
    )
    expect(result.accuracy).toBe(oracle.right / 200)
    expect(result.loss).toBeCloseTo(oracle.loss / 200, 5)
  })

  test('building, describing and judging leave no tensor behind', async () => {
    const before = tf.memory().numTensors
    const data = mnist(
      'test',
      Int32Array.from({ length: 200 }, (_, i) => i),
    )
    const model = await buildModel(tf, referenceCnn(7))
    const built = tf.memory().numTensors
    for (let round = 0; round < 3; round++) {
      const { spec, weights } = describeModel(tf, model, referenceCnn(7))
      evaluateModel(tf, model, spec, weights, data)
      expect(tf.memory().numTensors).toBe(built)
    }
    model.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})
