import type { TrainingPlan } from '@fedweave/aggregator'
import { augmenter } from './augment.ts'
import type { Prepare } from './batches.ts'
import { normaliser } from './normalise.ts'
import type { Random } from './random.ts'
import type { Split } from './split.ts'
import type { LocalDataset } from './trainer.ts'

type Treatment = Pick<TrainingPlan, 'normalise' | 'augment'>

/** How the model sees an example that it is judged by: normalised by the numbers of the training part, never varied. */
export function forJudging(dataset: LocalDataset, { training }: Split, plan: Treatment): Prepare {
  const normalise = normaliser(dataset, training, plan)
  return (example, out) => {
    out.set(example)
    normalise?.(out)
  }
}

/** How the model sees an example that it is trained on: varied, then normalised. */
export function forTraining(dataset: LocalDataset, split: Split, plan: Treatment, random: Random): Prepare {
  if (plan.augment === undefined) return forJudging(dataset, split, plan)
  const augment = augmenter(plan, dataset.shape, random)
  const normalise = normaliser(dataset, split.training, plan)
  return (example, out) => {
    augment(example, out)
    normalise?.(out)
  }
}
