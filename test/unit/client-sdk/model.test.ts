import { TensorLayout } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { logitsTopology, trainedTopology } from '../../../client-sdk/src/tfjs/logits.ts'
import { buildModel, describeModel, readWeights, setWeights } from '../../../client-sdk/src/tfjs/model.ts'
import { ModelPool } from '../../../client-sdk/src/tfjs/model-pool.ts'
import { describeLayers, linearModel, seeded, topologyOf } from './models.ts'

const unsupported = (message: string) =>
  expect.objectContaining({ code: 'FL_MODEL_UNSUPPORTED', message: expect.stringContaining(message) })

const dense = (args: Partial<Parameters<typeof tf.layers.dense>[0]> = {}) =>
  tf.layers.dense({ name: 'output', units: 2, activation: 'softmax', kernelInitializer: seeded(1), ...args })

beforeAll(() => selectBackend())

describe('buildModel', () => {
  it('gives a model that holds flat weights in the order of the spec', async () => {
    const { model: spec } = await linearModel()
    const layout = new TensorLayout(spec.tensors)
    const model = await buildModel(spec)
    const flat = Float32Array.from({ length: 8 }, (_, i) => i + 1)
    setWeights(model, flat, layout)
    expect(readWeights(model, layout)).toEqual(flat)
    const [kernel, bias] = model.getWeights()
    expect(kernel?.arraySync()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    expect(bias?.arraySync()).toEqual([7, 8])
    model.dispose()
  })

  it('builds a second model whose tensors TensorFlow.js has to rename', async () => {
    const { model: spec } = await linearModel()
    const [first, second] = [await buildModel(spec), await buildModel(spec)]
    expect(second.weights[0]?.name).not.toBe(first.weights[0]?.name)
    first.dispose()
    second.dispose()
  })

  it('names the layer whose tensor has another shape than the task lists', async () => {
    const { model: spec } = await linearModel()
    const [kernel, bias] = spec.tensors
    const listed = [{ ...kernel, shape: [2, 3] }, bias] as typeof spec.tensors
    await expect(buildModel({ ...spec, tensors: listed })).rejects.toThrow(
      unsupported('layer "output": output/kernel has the shape [3, 2], the task lists [2, 3]'),
    )
    await expect(buildModel({ ...spec, tensors: listed.slice(1) })).rejects.toThrow(
      unsupported('the task lists 1 tensors, the topology has 2'),
    )
    await expect(buildModel({ ...spec, classes: 3 })).rejects.toThrow(
      unsupported('the task says [3] to 3 classes, the topology [3] to 2'),
    )
  })

  it('names what it cannot load', async () => {
    const { model: spec } = await linearModel()
    await expect(buildModel({ ...spec, topology: '{' })).rejects.toThrow(unsupported('the topology does not load'))
    const unknown = spec.topology.replace('"Dense"', '"Lambda"')
    await expect(buildModel({ ...spec, topology: unknown })).rejects.toThrow(unsupported('Unknown layer: Lambda'))
  })

  it('leaves no tensor behind when it refuses a model', async () => {
    const { model: spec } = await linearModel()
    const before = tf.memory().numTensors
    await expect(buildModel({ ...spec, classes: 3 })).rejects.toThrow()
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('describeModel', () => {
  it.each<[string, () => tf.layers.Layer[], string]>([
    [
      'weights that are not trainable',
      () => [tf.layers.batchNormalization({ name: 'norm', inputShape: [3] }), dense()],
      'layer "norm" has weights that are not trainable',
    ],
    [
      'a frozen layer',
      () => [tf.layers.dense({ name: 'frozen', inputShape: [3], units: 2, trainable: false }), dense()],
      'layer "frozen" has weights that are not trainable',
    ],
    [
      'noise without a seed',
      () => [tf.layers.gaussianNoise({ name: 'noise', inputShape: [3], stddev: 1 }), dense()],
      'layer "noise" draws unseeded noise',
    ],
    [
      'a recurrent layer with dropout',
      () => [tf.layers.lstm({ name: 'lstm', inputShape: [3, 1], units: 2, dropout: 0.5 }), dense()],
      'layer "lstm" draws unseeded noise',
    ],
    [
      'an open input shape',
      () => [
        tf.layers.conv2d({ inputShape: [null, null, 1], filters: 1, kernelSize: 1 }),
        tf.layers.globalAveragePooling2d({}),
        dense(),
      ],
      'expected one input of a fixed shape',
    ],
    ['an output that is no vector of classes', () => [dense({ inputShape: [4, 3] })], 'expected one input of a fixed shape'],
    [
      'an initialiser without a seed',
      () => [dense({ inputShape: [3], kernelInitializer: 'glorotUniform' })],
      'the initialiser of "output/kernel" needs a seed',
    ],
  ])('refuses %s', async (_, layers, message) => {
    const topology = topologyOf(...layers())
    const before = tf.memory().numTensors
    await expect(describeModel(topology)).rejects.toThrow(unsupported(message))
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('logitsTopology', () => {
  it.each<[string, () => tf.layers.Layer[]]>([
    ['a dense layer', () => [dense({ inputShape: [3] })]],
    [
      'an activation layer',
      () => [dense({ inputShape: [3], activation: 'linear' }), tf.layers.activation({ name: 'last', activation: 'softmax' })],
    ],
    ['a softmax layer', () => [dense({ inputShape: [3], activation: 'linear' }), tf.layers.softmax({ name: 'last' })]],
  ])('takes the softmax off %s and nothing else', async (_, layers) => {
    const { model: spec, weights } = await describeLayers(...layers())
    const layout = new TensorLayout(spec.tensors)
    const [whole, upToLogits] = [await buildModel(spec), await buildModel({ ...spec, topology: logitsTopology(spec.topology) })]
    setWeights(whole, weights, layout)
    setWeights(upToLogits, weights, layout)
    const x = tf.tensor2d([[0.5, -1, 2]])
    const expected = (whole.predict(x) as tf.Tensor).dataSync()
    expect((upToLogits.predict(x) as tf.Tensor).softmax().dataSync()).toEqual(expected)
    expect((upToLogits.predict(x) as tf.Tensor).dataSync()).not.toEqual(expected)
    for (const made of [whole, upToLogits]) made.dispose()
  })

  it('finds the last layer of a functional model by its name', async () => {
    const input = tf.input({ shape: [3], name: 'in' })
    const hidden = tf.layers.dense({ name: 'hidden', units: 3, activation: 'relu', kernelInitializer: seeded(1) }).apply(input)
    const output = dense().apply(tf.layers.add({ name: 'sum' }).apply([input, hidden as tf.SymbolicTensor])) as tf.SymbolicTensor
    const model = tf.model({ inputs: input, outputs: output })
    const { config } = JSON.parse(logitsTopology(JSON.stringify(model.toJSON(null, false))))
    const activations = config.layers.map((layer: { config: { activation?: string } }) => layer.config.activation)
    expect(activations).toEqual([undefined, 'relu', undefined, 'linear'])
    model.dispose()
  })

  it('names a last layer that is no softmax', () => {
    const topology = topologyOf(dense({ inputShape: [3], activation: 'sigmoid' }))
    expect(() => logitsTopology(topology)).toThrow(unsupported('layer "output": the last layer must end in softmax'))
  })
})

describe('trainedTopology', () => {
  it('is a classifier up to its logits, and a regressor as it is', async () => {
    const { model: classifier } = await linearModel()
    expect(trainedTopology(classifier)).toBe(logitsTopology(classifier.topology))
    const { model: regressor } = await describeLayers(dense({ inputShape: [3], units: 1, activation: 'linear' }))
    expect(trainedTopology(regressor)).toBe(regressor.topology)
  })

  it('refuses a regressor that ends in softmax, and so always gives 1', async () => {
    const ends = [
      [dense({ inputShape: [3], units: 1 })],
      [dense({ inputShape: [3], units: 1, activation: 'linear' }), tf.layers.softmax({ name: 'output' })],
    ]
    for (const layers of ends) {
      const { model } = await describeLayers(...layers)
      expect(() => trainedTopology(model)).toThrow(unsupported('layer "output": a softmax over one output is always 1'))
    }
  })
})

describe('ModelPool', () => {
  it('builds a model once and lends it again', async () => {
    const { model: spec } = await linearModel()
    const before = tf.memory().numTensors
    const pool = new ModelPool()
    const first = await pool.lend(spec, async (model) => model)
    expect(await pool.lend(spec, async (model) => model)).toBe(first)
    pool.close()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('lends rounds that run at once a model each, and disposes of those that come back after close', async () => {
    const { model: spec } = await linearModel()
    const before = tf.memory().numTensors
    const pool = new ModelPool()
    await pool.lend(spec, async (outer) => {
      await pool.lend(spec, async (inner) => expect(inner).not.toBe(outer))
      pool.close()
    })
    expect(tf.memory().numTensors).toBe(before)
  })
})
