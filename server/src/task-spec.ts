import { COMBINE_RULES, type Eligibility, LOSSES, MAX_COHORT, RUNTIMES } from '@fedweave/aggregator'
import { type Static, type TNumber, Type } from 'typebox'

const deadline = (ms: number) => Type.Integer({ minimum: 100, maximum: 86_400_000, default: ms })
const strict = { additionalProperties: false }
const block = { ...strict, default: {} }
const sides = (item: TNumber) => Type.Optional(Type.Array(item, { minItems: 1, maxItems: 65_536 }))

/** `parseTaskConfig` checks how the fields go together. */
const plan = Type.Object(
  {
    epochs: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
    batchSize: Type.Integer({ minimum: 1, maximum: 65_536, default: 32 }),
    optimizer: Type.Union([Type.Literal('adam'), Type.Literal('adamw'), Type.Literal('sgd')], { default: 'adam' }),
    learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 0.001 }),
    loss: Type.Optional(Type.Union(LOSSES.map((loss) => Type.Literal(loss)))),
    maxSteps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    momentum: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.9999 })),
    weightDecay: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    decay: Type.Optional(
      Type.Object(
        {
          kind: Type.Union([Type.Literal('step'), Type.Literal('cosine')]),
          every: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
          factor: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
        },
        strict,
      ),
    ),
    proximal: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000 })),
    validation: Type.Optional(
      Type.Object(
        {
          fraction: Type.Number({ exclusiveMinimum: 0, maximum: 0.9 }),
          seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
        },
        strict,
      ),
    ),
    patience: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    normalise: Type.Optional(
      Type.Object({ mean: sides(Type.Number()), std: sides(Type.Number({ exclusiveMinimum: 0 })) }, strict),
    ),
    augment: Type.Optional(
      Type.Object(
        {
          shift: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 })),
          rotate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 180 })),
          noise: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e6 })),
        },
        strict,
      ),
    ),
  },
  block,
)

/** Conditions that clients check themselves before they join. */
export const eligibility = Type.Unsafe<Eligibility>(
  Type.Object(
    {
      minimumExamples: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
      runtimes: Type.Optional(
        Type.Array(Type.Union(RUNTIMES.map((runtime) => Type.Literal(runtime))), { minItems: 1, maxItems: RUNTIMES.length }),
      ),
      text: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    },
    { ...strict, description: 'Conditions that each client checks itself before it joins; nothing of it is reported.' },
  ),
)

/** What an operator writes to describe a task; everything but the id and the model has a default. */
export const taskSpec = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$' }),
    /** TensorFlow.js layers JSON (with seeded initialisers), and weights to start from instead of theirs. */
    model: Type.Object(
      { topology: Type.String({ minLength: 2 }), initialWeights: Type.Optional(Type.Unsafe<Float32Array>(Type.Any())) },
      strict,
    ),
    rounds: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10 }),
    continuous: Type.Optional(Type.Boolean()),
    plan,
    /** How the means of several cohorts become one. */
    combine: Type.Optional(Type.Union(COMBINE_RULES.map((rule) => Type.Literal(rule)))),
    cohort: Type.Object(
      {
        minimum: Type.Integer({ minimum: 3, maximum: MAX_COHORT, default: 3 }),
        target: Type.Integer({ minimum: 3, maximum: MAX_COHORT, default: 10 }),
        overSelection: Type.Number({ minimum: 1, maximum: 4, default: 1 }),
        groups: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
      },
      block,
    ),
    secureAggregation: Type.Object(
      {
        clipBound: Type.Number({ exclusiveMinimum: 0, maximum: 1e6, default: 10 }),
        valueBits: Type.Integer({ minimum: 2, maximum: 24, default: 16 }),
        rotation: Type.Optional(Type.Boolean()),
        weighting: Type.Union([Type.Literal('uniform'), Type.Literal('examples')], { default: 'uniform' }),
        maxWeight: Type.Integer({ minimum: 1, maximum: 65_535, default: 1 }),
        corrupt: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_COHORT })),
        dropout: Type.Optional(Type.Number({ minimum: 0, maximum: 0.5 })),
      },
      block,
    ),
    deadlines: Type.Object(
      {
        recruitingMs: deadline(600_000),
        setupMs: deadline(30_000),
        collectingMs: deadline(600_000),
        confirmingMs: deadline(30_000),
        unmaskingMs: deadline(30_000),
      },
      block,
    ),
    eligibility: Type.Optional(eligibility),
    /** Held-out data: a module that exports `evaluationData`, or a JSON file. */
    evaluation: Type.Optional(
      Type.Union([Type.Object({ module: Type.String() }, strict), Type.Object({ file: Type.String() }, strict)]),
    ),
  },
  { additionalProperties: false },
)

export type TaskSpec = Static<typeof taskSpec>
