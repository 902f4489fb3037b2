import { type Check, fields, integerIn, invalid, listOf, numberIn, oneOf, optional } from './check.ts'
import { isRegressor, type ModelSpec } from './model-spec.ts'

/** What local training minimises, by the names that Keras gives them. */
export const LOSSES = ['sparseCategoricalCrossentropy', 'meanSquaredError'] as const
export type Loss = (typeof LOSSES)[number]

/** What each client does with the global weights in one round. */
export interface TrainingPlan {
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: 'sgd' | 'adam' | 'adamw'
  readonly learningRate: number
  /** Of a classifier `sparseCategoricalCrossentropy`, of a regressor `meanSquaredError`; absent: the former. */
  readonly loss?: Loss
  /** Upper bound on optimiser updates in a round, for clients with much data; absent: none. */
  readonly maxSteps?: number
  /** With `sgd`: the part of one update that goes on into the next; absent: none. */
  readonly momentum?: number
  /** With `adamw`: the part of a weight that decays in a step, times the learning rate; absent: 0.01. */
  readonly weightDecay?: number
  /** How the learning rate falls within a round, from `learningRate` on; absent: not at all. */
  readonly decay?: LearningRateDecay
  /** Weight mu of FedProx's proximal term, mu/2 |w - w_global|^2 (Li et al. 2020, eq. 2); absent: none. */
  readonly proximal?: number
  /** Examples that a client never trains on; absent: none. */
  readonly validation?: ValidationSplit
  /** Epochs without a smaller validation loss after which a client stops; it then sends its best weights. Absent: never. */
  readonly patience?: number
  /** Brings inputs to mean 0 and deviation 1; absent: as they are. */
  readonly normalise?: Normalisation
  /** Varies images anew each time they are trained on; absent: not at all. */
  readonly augment?: Augmentation
}

/**
 * `step`: times `factor` after every `every` updates. `cosine`: half a cosine wave from the full rate down to nothing at
 * the round's end (Loshchilov and Hutter 2017, eq. 5, without restarts).
 */
export type LearningRateDecay =
  | { readonly kind: 'step'; readonly every: number; readonly factor: number }
  | { readonly kind: 'cosine' }

export interface ValidationSplit {
  /** Part of the examples, above 0 and at most 0.9; at least one is kept and one is left. */
  readonly fraction: number
  /** Unsigned 32-bit integer; absent: 0. One seed for all rounds, or a later round would train on what this one keeps. */
  readonly seed?: number
}

/** Both lists or neither: without them each client takes the numbers of the examples that it trains on. */
export interface Normalisation {
  /** One number for all values of an example, or one for each index of its last side: a colour channel, a column. */
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
}

/** At least one of them. What comes in from beyond an edge is 0. */
export interface Augmentation {
  /** Most whole pixels that an image moves, up or down and left or right. */
  readonly shift?: number
  /** Most degrees that an image turns about its centre, either way. */
  readonly rotate?: number
  /** Standard deviation of the noise that is added to each value, in the units of the raw data. */
  readonly noise?: number
}

const anyDecay = fields({
  kind: oneOf('step', 'cosine'),
  every: optional(integerIn(1, 1_000_000)),
  factor: optional(numberIn(0, 1, true)),
})

const decay: Check<LearningRateDecay> = (raw, path) => {
  const { kind, every, factor } = anyDecay(raw, path)
  switch (kind) {
    case 'step':
      if (every === undefined) throw invalid(`${path}.every`, 'a number of updates, which kind "step" needs', every)
      if (factor === undefined) throw invalid(`${path}.factor`, 'a factor, which kind "step" needs', factor)
      return { kind, every, factor }
    case 'cosine':
      if (every !== undefined) throw invalid(`${path}.every`, 'nothing with kind "cosine"', every)
      if (factor !== undefined) throw invalid(`${path}.factor`, 'nothing with kind "cosine"', factor)
      return { kind }
  }
}

const sides = <T>(item: Check<T>) => optional(listOf(item, 1, 65_536))
const anyNormalisation = fields({ mean: sides(numberIn(-1e9, 1e9)), std: sides(numberIn(0, 1e9, true)) })

const normalise: Check<Normalisation> = (raw, path) => {
  const parsed = anyNormalisation(raw, path)
  const { mean, std } = parsed
  if (mean?.length !== std?.length) throw invalid(path, '`mean` and `std` of one length, or neither', raw)
  return parsed
}

const anyAugmentation = fields({
  shift: optional(integerIn(1, 4096)),
  rotate: optional(numberIn(0, 180, true)),
  noise: optional(numberIn(0, 1e6, true)),
})

const augment: Check<Augmentation> = (raw, path) => {
  const parsed = anyAugmentation(raw, path)
  if (Object.keys(parsed).length === 0) throw invalid(path, 'one of shift, rotate, noise at least', raw)
  return parsed
}

const anyPlan = fields({
  epochs: integerIn(1, 1000),
  batchSize: integerIn(1, 65_536),
  optimizer: oneOf('sgd', 'adam', 'adamw'),
  learningRate: numberIn(0, 100, true),
  loss: optional(oneOf(...LOSSES)),
  maxSteps: optional(integerIn(1, 1_000_000)),
  momentum: optional(numberIn(0, 0.9999, true)),
  weightDecay: optional(numberIn(0, 1)),
  decay: optional(decay),
  proximal: optional(numberIn(0, 1000, true)),
  validation: optional(fields({ fraction: numberIn(0, 0.9, true), seed: optional(integerIn(0, 2 ** 32 - 1)) })),
  patience: optional(integerIn(1, 1000)),
  normalise: optional(normalise),
  augment: optional(augment),
})

/** Throws `FL_CONFIG_INVALID` also for a field that would do nothing beside the others. */
export const trainingPlan: Check<TrainingPlan> = (raw, path) => {
  const plan = anyPlan(raw, path)
  const { optimizer, momentum, weightDecay, patience, validation } = plan
  if (momentum !== undefined && optimizer !== 'sgd') throw invalid(`${path}.momentum`, `nothing with ${optimizer}`, momentum)
  if (weightDecay !== undefined && optimizer !== 'adamw')
    throw invalid(`${path}.weightDecay`, `nothing with ${optimizer}`, weightDecay)
  if (patience !== undefined && validation === undefined)
    throw invalid(`${path}.patience`, `nothing without ${path}.validation`, patience)
  return plan
}

/** Throws `FL_CONFIG_INVALID` where the plan treats examples of this shape as what they are not. */
export function checkPlanFits({ normalise, augment }: TrainingPlan, inputShape: readonly number[]): void {
  const shape = `examples of the shape [${inputShape.join(', ')}]`
  const last = inputShape.at(-1) as number
  const numbers = normalise?.mean?.length ?? 1
  if (numbers !== 1 && numbers !== last)
    throw invalid('plan.normalise.mean', `1 or ${last} numbers for ${shape}`, normalise?.mean)
  for (const field of ['shift', 'rotate'] as const) {
    if (augment?.[field] !== undefined && inputShape.length !== 3)
      throw invalid(
        `plan.augment.${field}`,
        `nothing with ${shape}, which are no images [height, width, channels]`,
        augment[field],
      )
  }
}

/** Throws `FL_CONFIG_INVALID` where the plan's loss is not one of such a model's outputs. */
export function checkLossFits({ loss = 'sparseCategoricalCrossentropy' }: Pick<TrainingPlan, 'loss'>, model: ModelSpec): void {
  const fits = isRegressor(model) ? 'meanSquaredError' : 'sparseCategoricalCrossentropy'
  if (loss === fits) return
  const outputs = isRegressor(model) ? 'one output, a number' : `${model.classes} outputs, the probabilities of classes`
  throw invalid('plan.loss', `${JSON.stringify(fits)} for a model of ${outputs}`, loss)
}
