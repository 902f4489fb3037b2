import { FedweaveError, isRegressor, type ModelSpec, TensorLayout, type TensorSpec } from '@fedweave/aggregator'
import type { LayersModel, layers, Tensor } from '@tensorflow/tfjs'
import type { EvaluationData } from './data.ts'
import { ClassTally, ErrorTally, type EvaluationResult } from './metrics.ts'
import type { TensorFlow } from './tensorflow.ts'

/** Examples that go through the model at once: their activations still fit the processor's cache. */
const BATCH = 128

export interface DescribedModel {
  readonly spec: ModelSpec
  /** Flat, in the order of `spec.tensors`. */
  readonly weights: Float32Array
}

/** Builds the model of `topology`; dispose of it after use. Throws `FL_MODEL_UNSUPPORTED`. */
export async function buildModel(tf: TensorFlow, topology: string): Promise<LayersModel> {
  let model: LayersModel
  try {
    model = await tf.models.modelFromJSON(JSON.parse(topology))
  } catch (cause) {
    throw unsupported(`the topology does not load: ${(cause as Error).message}`, cause)
  }
  if (model.nonTrainableWeights.length > 0) {
    // Nobody would update or send them, so that the judged model would not be the trained one.
    const names = model.nonTrainableWeights.map(({ originalName }) => originalName).join(', ')
    model.dispose()
    throw unsupported(`only trainable weights are federated, the model also has ${names}`)
  }
  return model
}

/**
 * The spec of a built model, and its weights as its initialisers drew them. Runs it once on zeros. Throws
 * `FL_MODEL_UNSUPPORTED` where it has not one input of a fixed shape and, for an output, one probability for each class or one number.
 */
export function describeModel(tf: TensorFlow, model: LayersModel, topology: string): DescribedModel {
  const [input, output] = [model.inputs[0], model.outputs[0]]
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || input === undefined || output === undefined) {
    throw unsupported(`expected one input and one output, got ${model.inputs.length} and ${model.outputs.length}`)
  }
  const inputShape = input.shape.slice(1).filter((side) => side !== null)
  if (inputShape.length !== input.shape.length - 1 || inputShape.length === 0) {
    throw unsupported(`expected a fixed input shape, got [${input.shape.join(', ')}]`)
  }
  const [, classes] = output.shape
  if (output.shape.length !== 2 || !classes) {
    throw unsupported(`expected one output for each class, or one number, got the output shape [${output.shape.join(', ')}]`)
  }
  if (isRegressor({ classes })) checkEstimate(output.sourceLayer)
  else checkProbabilities(tf, model, inputShape)

  const tensors = tensorsOf(model)
  const weights = new TensorLayout(tensors).flatten(model.trainableWeights.map((weight) => weight.read().dataSync()))
  return { spec: { topology, inputShape, classes, tensors }, weights }
}

function checkProbabilities(tf: TensorFlow, model: LayersModel, inputShape: readonly number[]): void {
  const sum = tf.tidy(() => (model.predictOnBatch(tf.zeros([1, ...inputShape])) as Tensor).sum().dataSync()[0] as number)
  if (!(Math.abs(sum - 1) < 1e-3))
    throw unsupported(`expected probabilities that sum to 1, got ${sum}: end the model with softmax`)
}

function checkEstimate(last: layers.Layer): void {
  if (last.getClassName() === 'Softmax' || last.getConfig().activation === 'softmax')
    throw unsupported(
      'a softmax over one output is always 1: give it one unit a class, or end a regressor with a linear activation',
    )
}

/**
 * Judges `weights` (flat, in the order of `spec.tensors`) on `data`. Throws `FL_UPDATE_SHAPE` when their number differs,
 * `FL_DATASET_SHAPE` when the data are for another model, `FL_NON_FINITE` when the model gives NaN.
 */
export function evaluateModel(
  tf: TensorFlow,
  model: LayersModel,
  spec: ModelSpec,
  weights: Float32Array,
  data: EvaluationData,
): EvaluationResult {
  const { xs, shape, labels, classes } = data
  if (shape.join() !== spec.inputShape.join() || classes !== spec.classes) {
    const [expected, got] = [spec, { inputShape: shape, classes }].map(
      (each) => `[${each.inputShape.join(', ')}] in ${each.classes} classes`,
    )
    throw new FedweaveError('FL_DATASET_SHAPE', `the evaluation data are ${got}, the model takes ${expected}`)
  }
  setWeights(tf, model, weights)
  const width = xs.length / labels.length
  const tally = isRegressor(spec) ? new ErrorTally() : new ClassTally(classes)
  for (let start = 0; start < labels.length; start += BATCH) {
    const end = Math.min(start + BATCH, labels.length)
    const outputs = tf.tidy(() => {
      const batch = tf.tensor(xs.subarray(start * width, end * width), [end - start, ...shape])
      return (model.predictOnBatch(batch) as Tensor).dataSync() as Float32Array
    })
    tally.add(outputs, labels.subarray(start, end))
  }
  return tally.result()
}

function setWeights(tf: TensorFlow, model: LayersModel, weights: Float32Array): void {
  const views = new TensorLayout(tensorsOf(model)).views(weights)
  tf.tidy(() => {
    for (const [i, variable] of model.trainableWeights.entries()) {
      variable.write(tf.tensor(views[i] as Float32Array, variable.shape as number[]))
    }
  })
}

/** `originalName`: the name without the suffix that TensorFlow.js adds when it has built the same model before. */
function tensorsOf(model: LayersModel): TensorSpec[] {
  return model.trainableWeights.map(({ originalName, shape }) => ({ name: originalName, shape: shape as number[] }))
}

function unsupported(message: string, cause?: unknown): FedweaveError {
  return new FedweaveError('FL_MODEL_UNSUPPORTED', message, { cause })
}
