import { checkLossFits, FedweaveError, TensorLayout } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { layersOf } from '../tfjs/layers.ts'
import { readWeights, setWeights } from '../tfjs/model.ts'
import { ProximalTerm } from '../tfjs/proximal.ts'
import { createOptimizer, trainingStep } from '../tfjs/training-step.ts'
import { stepsOf, trainingBatches } from './batches.ts'
import { BestEpoch } from './best-epoch.ts'
import { judge } from './judge.ts'
import { learningRateAt } from './learning-rate.ts'
import { lossOf } from './loss.ts'
import type { Metrics } from './metrics.ts'
import { forJudging, forTraining } from './prepare.ts'
import { Random } from './random.ts'
import { splitRows } from './split.ts'
import type { LocalDataset, TrainingProgress, TrainingRequest, TrainingResult, Validation } from './trainer.ts'

/** Runs one round on `model`, which ends in logits or an estimate. `beforeStep` may throw to stop it. Errors are those of `Trainer.train`. */
export async function trainRound(
  model: tf.LayersModel,
  dataset: LocalDataset,
  { model: spec, weights, plan, seed }: TrainingRequest,
  beforeStep: () => Promise<void>,
  onProgress: ((progress: TrainingProgress) => void) | undefined,
): Promise<TrainingResult> {
  checkLossFits(plan, spec)
  const lossFunction = lossOf(plan)
  const split = splitRows(dataset.labels.length, plan)
  const steps = stepsOf(plan, split.training.length)
  const random = new Random(seed)
  const prepare = forTraining(dataset, split, plan, random)
  const prepareForJudging = forJudging(dataset, split, plan)
  const layout = new TensorLayout(spec.tensors)
  setWeights(model, weights, layout)
  const dropouts = layersOf(model).filter((layer) => 'seed' in layer.getConfig()) as unknown as { seed: number }[]
  const optimizer = createOptimizer(plan)
  const proximal = plan.proximal === undefined ? undefined : new ProximalTerm(model, plan.proximal)
  const bestEpoch = plan.patience === undefined ? undefined : new BestEpoch(plan.patience)
  let validation: Validation | undefined
  let [step, seen, loss] = [0, 0, 0]
  let correct: number | undefined
  try {
    for (const batch of trainingBatches(dataset, split.training, plan, random, prepare)) {
      await beforeStep()
      step++
      for (const layer of dropouts) layer.seed = random.uint32() // else one mask for all steps, or an unseeded one
      optimizer.setLearningRate(learningRateAt(plan, step, steps))
      const score = trainingStep(model, optimizer, batch, lossFunction, proximal)
      seen += batch.labels.length
      loss += score.loss
      if (score.correct !== undefined) correct = (correct ?? 0) + score.correct
      if (!Number.isFinite(loss)) throw new FedweaveError('FL_NON_FINITE', `the loss is ${loss} at step ${step} of ${steps}`)
      const progress = { step, steps, loss: loss / seen, ...shareOf(correct, seen) }
      if (!batch.closesEpoch || split.validation.length === 0) {
        onProgress?.(progress)
        continue
      }
      const judged = await judge(model, dataset, split.validation, prepareForJudging, beforeStep)
      validation = validationOf(judged)
      onProgress?.({ ...progress, validation })
      if (bestEpoch?.exhausted(validation, () => readWeights(model, layout))) break
    }
  } finally {
    optimizer.dispose()
    proximal?.dispose()
  }
  const trained = bestEpoch?.best?.weights ?? readWeights(model, layout)
  validation = bestEpoch?.best?.validation ?? validation
  return {
    delta: subtractInto(trained, weights, step),
    examples: Math.min(seen, split.training.length),
    steps: step,
    loss: loss / seen,
    ...shareOf(correct, seen),
    ...(validation === undefined ? {} : { validation }),
  }
}

function shareOf(correct: number | undefined, seen: number): { readonly accuracy?: number } {
  return correct === undefined ? {} : { accuracy: correct / seen }
}

function validationOf(judged: Metrics): Validation {
  const { examples, loss } = judged
  return 'accuracy' in judged ? { examples, loss, accuracy: judged.accuracy } : { examples, loss }
}

/** `trained` minus `start`, in the memory of `trained`. Throws `FL_NON_FINITE`. */
function subtractInto(trained: Float32Array, start: Float32Array, steps: number): Float32Array {
  for (let i = 0; i < trained.length; i++) trained[i] = (trained[i] as number) - (start[i] as number)
  const broken = trained.find((value) => !Number.isFinite(value))
  if (broken !== undefined) throw new FedweaveError('FL_NON_FINITE', `the delta holds ${broken} after step ${steps}`)
  return trained
}
