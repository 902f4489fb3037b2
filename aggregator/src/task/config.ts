import { FedweaveError } from '../core/errors.ts'
import { taskId } from '../core/ids.ts'
import { TensorLayout } from '../quantise/layout.ts'
import { Quantiser } from '../quantise/quantiser.ts'
import { rotatedBound } from '../quantise/rotation.ts'
import { MAX_COHORT, MAX_COHORTS } from '../wire/records.ts'
import { PROTOCOL_VERSIONS } from '../wire/version.ts'
import { type Check, fields, flag, hex32, integerIn, listOf, numberIn, oneOf, optional, text } from './check.ts'
import type { ModelSpec } from './model-spec.ts'
import { checkLossFits, checkPlanFits, trainingPlan } from './plan.ts'

const model: Check<ModelSpec> = fields({
  topology: text(2, 1_000_000),
  inputShape: listOf(integerIn(1, 65_536), 1, 4),
  classes: integerIn(1, 65_536),
  tensors: listOf(fields({ name: text(1, 200), shape: listOf(integerIn(1, 2 ** 28), 0, 6) }), 1, 10_000),
})

/**
 * How a round's cohort means become one pseudo-gradient. With one cohort all rules give its mean. The robust rules bound
 * what poisoned cohorts can do, without anyone seeing a single update: a cohort counts as one voice, whatever its weight.
 */
export const COMBINE_RULES = ['mean', 'median', 'trimmed-mean', 'norm-bounded'] as const
export type CombineRule = (typeof COMBINE_RULES)[number]

/** Where a client may run. */
export const RUNTIMES = ['node', 'browser'] as const
export type Runtime = (typeof RUNTIMES)[number]

const eligibility = fields({
  /** Fewest examples of a client's data set. */
  minimumExamples: optional(integerIn(1, 1_000_000_000)),
  runtimes: optional(listOf(oneOf(...RUNTIMES), 1, RUNTIMES.length)),
  /** Whatever no program can check, for people. */
  text: optional(text(1, 1000)),
})

/** Who is asked to take part. Each client checks itself: a server that checked would have to learn more about it. */
export type Eligibility = ReturnType<typeof eligibility>

/** Most clients of one round: its journal entry must fit a message. */
const MOST_CLIENTS = 20_000

const milliseconds = integerIn(100, 86_400_000)

const config = fields({
  protocol: oneOf(...PROTOCOL_VERSIONS),
  taskId: (raw, path) => taskId(text(1, 64)(raw, path)),
  rounds: integerIn(1, 1_000_000),
  /** After its rounds the task rests, and runs as many again each time that enough clients have new data; absent: no. */
  continuous: optional(flag),
  model,
  /** SHA-256 of the initial weights as little-endian float32. */
  initialModel: hex32,
  plan: trainingPlan,
  strategy: fields({
    name: oneOf('fedavg'),
    /** How the means of several cohorts become one; absent: `mean`. */
    combine: optional(oneOf(...COMBINE_RULES)),
  }),
  cohort: fields({
    /** Fewest clients that a round may start with and end with. */
    minimum: integerIn(3, MAX_COHORT),
    /** Updates that a round aims at. */
    target: integerIn(3, MAX_COHORT),
    /** `ceil(target * overSelection)` clients are invited, so that slow ones need not be waited for. */
    overSelection: numberIn(1, 4),
    /** Cohorts of one round, each of that size and summed on its own; absent: 1. */
    groups: optional(integerIn(1, MAX_COHORTS)),
  }),
  secureAggregation: fields({
    /** L2 bound on a client's delta; without rotation also the range of one quantised value. */
    clipBound: numberIn(0, 1e6, true),
    /** Bits of one quantised value before weighting. */
    valueBits: integerIn(2, 24),
    /** Rotates deltas at random before they are quantised, for which 8 value bits are then enough; absent: no. */
    rotation: optional(flag),
    /** `uniform`: every client weighs 1. `examples`: min(examples, maxWeight), which can be differenced over rounds. */
    weighting: oneOf('uniform', 'examples'),
    maxWeight: integerIn(1, 65_535),
    /** Most corrupt clients in a cohort; absent: 10 % of it, at least 1. */
    corrupt: optional(integerIn(1, MAX_COHORT)),
    /** Largest fraction of the roster that may drop out; absent: 0.2 up to 20 clients, 0.1 above. */
    dropout: optional(numberIn(0, 0.5)),
  }),
  /** Milliseconds from the start of each phase to its end. */
  deadlines: fields({
    /** How long the server waits for enough clients to be there before it says that there are too few. */
    recruitingMs: milliseconds,
    /** For each of the three steps before training's result is needed: ready, shared keys, acknowledged. */
    setupMs: milliseconds,
    collectingMs: milliseconds,
    confirmingMs: milliseconds,
    unmaskingMs: milliseconds,
  }),
  eligibility: optional(eligibility),
  enrolment: fields({
    /** Ed25519 key that certifies identities. */
    key: hex32,
    /** `server`: the server holds that key, which protects against an honest-but-curious server only. */
    holder: oneOf('external', 'server'),
  }),
})

/** What a task is; signed by the operator, and hashed into every round's context. */
export type TaskConfig = ReturnType<typeof config>

/** Parses and checks a task config across its fields. Throws `FL_CONFIG_INVALID` naming the field. */
export function parseTaskConfig(raw: unknown): TaskConfig {
  const parsed = config(raw, '')
  const { cohort, secureAggregation: sa } = parsed
  if (cohort.target < cohort.minimum) {
    throw new FedweaveError('FL_CONFIG_INVALID', `cohort.target: ${cohort.target} is below cohort.minimum ${cohort.minimum}`)
  }
  if (largestRoster(parsed) > MAX_COHORT) {
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `cohort.overSelection: ${cohort.target} clients x ${cohort.overSelection} exceed the ${MAX_COHORT} of one cohort`,
    )
  }
  const { groups = 1 } = cohort
  if (groups * largestRoster(parsed) > MOST_CLIENTS) {
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `cohort.groups: ${groups} cohorts of ${largestRoster(parsed)} exceed the ${MOST_CLIENTS} clients of one round`,
    )
  }
  const { combine = 'mean' } = parsed.strategy
  if (combine !== 'mean' && groups < 3) {
    throw new FedweaveError('FL_CONFIG_INVALID', `strategy.combine: ${combine} needs cohort.groups >= 3, got ${groups}`)
  }
  if (sa.weighting === 'uniform' && sa.maxWeight !== 1) {
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `secureAggregation.maxWeight: must be 1 with uniform weighting, got ${sa.maxWeight}`,
    )
  }
  if (sa.corrupt !== undefined && sa.corrupt + 2 > cohort.minimum) {
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `secureAggregation.corrupt: ${sa.corrupt} corrupt clients need cohort.minimum >= ${sa.corrupt + 2}, got ${cohort.minimum}`,
    )
  }
  checkPlanFits(parsed.plan, parsed.model.inputShape)
  checkLossFits(parsed.plan, parsed.model)
  quantiserOf(parsed) // proves that a sum of the largest cohort cannot wrap
  return parsed
}

/** Clients without which no round opens. */
export function fewestClients({ cohort }: Pick<TaskConfig, 'cohort'>): number {
  return (cohort.groups ?? 1) * cohort.minimum
}

/** Rounds that the task will have when the burst of its round `n`, from 1, is over; a task that is not continuous has one burst. */
export function roundsOfBurst({ rounds, continuous }: Pick<TaskConfig, 'rounds' | 'continuous'>, n: number): number {
  return continuous === true ? rounds * Math.max(1, Math.ceil(n / rounds)) : rounds
}

/** Most clients that a roster of this task may hold. */
export function largestRoster(config: Pick<TaskConfig, 'cohort'>): number {
  return Math.ceil(config.cohort.target * config.cohort.overSelection)
}

/** Largest total weight of one sum. */
export function largestTotalWeight(config: Pick<TaskConfig, 'cohort' | 'secureAggregation'>): number {
  return largestRoster(config) * config.secureAggregation.maxWeight
}

export function quantiserOf(config: Pick<TaskConfig, 'cohort' | 'model' | 'secureAggregation'>): Quantiser {
  const { clipBound, valueBits, rotation } = config.secureAggregation
  const largest = rotation === true ? rotatedBound(new TensorLayout(config.model.tensors).size, clipBound) : clipBound
  return new Quantiser({ clipBound: largest, valueBits, totalWeight: largestTotalWeight(config) })
}

/** The weight of a client with that many examples. */
export function weightOf(config: Pick<TaskConfig, 'secureAggregation'>, examples: number): number {
  return config.secureAggregation.weighting === 'uniform' ? 1 : Math.min(examples, config.secureAggregation.maxWeight)
}
