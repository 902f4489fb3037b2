import { FedweaveError, TensorLayout } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { layersOf, readWeights, setWeights } from '../tfjs/model.ts'
import { ModelPool } from '../tfjs/model-pool.ts'
import { createOptimizer, trainingStep } from '../tfjs/training-step.ts'
import { batches, stepsOf } from './batches.ts'
import { breathe } from './breathe.ts'
import { checkDataset } from './dataset.ts'
import { Random } from './random.ts'
import type { LocalDataset, Trainer, TrainingProgress, TrainingRequest, TrainingResult } from './trainer.ts'

/**
 * Trains in this thread with TensorFlow.js, and lets other tasks run between steps. `models`: a pool that the trainers
 * of many clients share and that the caller closes; left out, the trainer has one of its own.
 */
export function localTrainer(dataset: LocalDataset, models?: ModelPool): Trainer {
  const pool = models ?? new ModelPool()
  let closed = false
  return {
    async train(request, { signal, onProgress } = {}) {
      const checkRunning = () => {
        if (closed || signal?.aborted) throw new FedweaveError('FL_STOPPED', 'local training was stopped')
      }
      checkRunning()
      checkDataset(dataset, request.model)
      return pool.lend(request.model, async (model) => {
        const beforeStep = async () => {
          await breathe()
          checkRunning()
        }
        return trainRound(model, dataset, request, beforeStep, onProgress)
      })
    },
    async close() {
      closed = true
      if (!models) pool.close()
    },
  }
}

async function trainRound(
  model: tf.LayersModel,
  dataset: LocalDataset,
  { model: spec, weights, plan, seed }: TrainingRequest,
  beforeStep: () => Promise<void>,
  onProgress: ((progress: TrainingProgress) => void) | undefined,
): Promise<TrainingResult> {
  const rows = dataset.labels.length
  const steps = stepsOf(plan, rows)
  const random = new Random(seed)
  const layout = new TensorLayout(spec.tensors)
  setWeights(model, weights, layout)
  const dropouts = layersOf(model).filter((layer) => 'seed' in layer.getConfig()) as unknown as { seed: number }[]
  const optimizer = createOptimizer(plan)
  let [step, seen, loss, correct] = [0, 0, 0, 0]
  try {
    for (const batch of batches(dataset, plan, random)) {
      await beforeStep()
      step++
      for (const layer of dropouts) layer.seed = random.uint32() // else one mask for all steps, or an unseeded one
      const score = trainingStep(model, optimizer, batch)
      seen += batch.labels.length
      loss += score.loss
      correct += score.correct
      if (!Number.isFinite(loss)) throw new FedweaveError('FL_NON_FINITE', `the loss is ${loss} at step ${step} of ${steps}`)
      onProgress?.({ step, steps, loss: loss / seen, accuracy: correct / seen })
    }
  } finally {
    optimizer.dispose()
  }
  const delta = readWeights(model, layout)
  for (let i = 0; i < delta.length; i++) delta[i] = (delta[i] as number) - (weights[i] as number)
  const broken = delta.find((value) => !Number.isFinite(value))
  if (broken !== undefined) throw new FedweaveError('FL_NON_FINITE', `the delta holds ${broken} after step ${steps}`)
  return { delta, examples: Math.min(seen, rows), steps, loss: loss / seen, accuracy: correct / seen }
}
