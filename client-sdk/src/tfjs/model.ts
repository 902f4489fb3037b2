import { FedweaveError, type ModelSpec, TensorLayout } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { selectBackend } from './backend.ts'
import { layersOf } from './layers.ts'

/** Layers that draw noise in training from a generator that nobody can seed. */
const UNSEEDED = new Set(['GaussianNoise', 'GaussianDropout', 'AlphaDropout'])

/**
 * Builds the model of `spec` on the training backend; dispose of it after use. Throws `FL_MODEL_UNSUPPORTED` when the
 * topology does not load, cannot be trained as it is, or is another model than `spec` says.
 */
export async function buildModel(spec: ModelSpec): Promise<tf.LayersModel> {
  const model = await load(spec.topology)
  try {
    checkSame(describe(model, spec.topology), spec)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/**
 * The spec of a topology, and the weights that its initialisers draw. Throws `FL_MODEL_UNSUPPORTED` as `buildModel`
 * does, and when an initialiser has no seed: then no two parties could start from the same weights.
 */
export async function describeModel(topology: string): Promise<{ model: ModelSpec; weights: Float32Array }> {
  const first = await load(topology)
  const second = await load(topology)
  try {
    const model = describe(first, topology)
    const layout = new TensorLayout(model.tensors)
    const weights = readWeights(first, layout)
    const again = layout.views(readWeights(second, layout))
    for (const [i, view] of layout.views(weights).entries()) {
      if (view.some((value, j) => value !== again[i]?.[j])) {
        throw unsupported(`the initialiser of ${JSON.stringify(model.tensors[i]?.name)} needs a seed`)
      }
    }
    return { model, weights }
  } finally {
    first.dispose()
    second.dispose()
  }
}

/** Writes flat weights into the model. Throws `FL_UPDATE_SHAPE` when the length differs from `layout.size`. */
export function setWeights(model: tf.LayersModel, flat: Float32Array, layout: TensorLayout): void {
  const views = layout.views(flat)
  tf.tidy(() => {
    for (const [i, weight] of model.trainableWeights.entries()) {
      weight.write(tf.tensor(views[i] as Float32Array, layout.tensors[i]?.shape as number[]))
    }
  })
}

/** A flat copy of the model's weights, `layout.size` long. */
export function readWeights(model: tf.LayersModel, layout: TensorLayout): Float32Array {
  return layout.flatten(model.trainableWeights.map((weight) => weight.read().dataSync()))
}

async function load(topology: string): Promise<tf.LayersModel> {
  await selectBackend()
  try {
    return await tf.models.modelFromJSON(JSON.parse(topology))
  } catch (cause) {
    throw new FedweaveError('FL_MODEL_UNSUPPORTED', `the topology does not load: ${(cause as Error).message}`, { cause })
  }
}

function describe(model: tf.LayersModel, topology: string): ModelSpec {
  for (const layer of layersOf(model)) {
    const name = JSON.stringify(layer.name)
    const { dropout, recurrentDropout } = layer.getConfig()
    if (layer.nonTrainableWeights.length > 0) throw unsupported(`layer ${name} has weights that are not trainable`)
    if (UNSEEDED.has(layer.getClassName()) || dropout || recurrentDropout) throw unsupported(`layer ${name} draws unseeded noise`)
  }
  const inputShape = model.inputs[0]?.shape.slice(1) ?? []
  const [, classes, ...rest] = model.outputs[0]?.shape ?? []
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || inputShape.includes(null) || !classes || rest.length > 0) {
    throw unsupported('expected one input of a fixed shape and one output: one probability a class, or one number')
  }
  return {
    topology,
    inputShape: inputShape as number[],
    classes,
    tensors: model.trainableWeights.map(({ originalName, shape }) => ({ name: originalName, shape: shape as number[] })),
  }
}

function checkSame(built: ModelSpec, spec: ModelSpec): void {
  const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((side, i) => side === b[i])
  if (!same(built.inputShape, spec.inputShape) || built.classes !== spec.classes) {
    throw unsupported(
      `the task says [${spec.inputShape.join(', ')}] to ${spec.classes} classes, the topology [${built.inputShape.join(', ')}] to ${built.classes}`,
    )
  }
  if (built.tensors.length !== spec.tensors.length) {
    throw unsupported(`the task lists ${spec.tensors.length} tensors, the topology has ${built.tensors.length}`)
  }
  for (const [i, { name, shape }] of built.tensors.entries()) {
    const listed = spec.tensors[i]?.shape ?? []
    if (same(shape, listed)) continue
    const [layer] = name.split('/')
    throw unsupported(
      `layer ${JSON.stringify(layer)}: ${name} has the shape [${shape.join(', ')}], the task lists [${listed.join(', ')}]`,
    )
  }
}

function unsupported(message: string): FedweaveError {
  return new FedweaveError('FL_MODEL_UNSUPPORTED', message)
}
