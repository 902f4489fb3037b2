import { type Static, Type } from 'typebox'

const deadline = (ms: number) => Type.Integer({ minimum: 100, maximum: 86_400_000, default: ms })
const block = { additionalProperties: false, default: {} }

/** What an operator writes to describe a task; everything but the id and the model has a default. */
export const taskSpec = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$' }),
    /** TensorFlow.js layers JSON (with seeded initialisers), and weights to start from instead of theirs. */
    model: Type.Object(
      { topology: Type.String({ minLength: 2 }), initialWeights: Type.Optional(Type.Unsafe<Float32Array>(Type.Any())) },
      { additionalProperties: false },
    ),
    rounds: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10 }),
    plan: Type.Object(
      {
        epochs: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
        batchSize: Type.Integer({ minimum: 1, maximum: 65_536, default: 32 }),
        optimizer: Type.Union([Type.Literal('adam'), Type.Literal('sgd')], { default: 'adam' }),
        learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 100, default: 0.001 }),
        maxSteps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      },
      block,
    ),
    cohort: Type.Object(
      {
        minimum: Type.Integer({ minimum: 3, maximum: 200, default: 3 }),
        target: Type.Integer({ minimum: 3, maximum: 200, default: 10 }),
        overSelection: Type.Number({ minimum: 1, maximum: 4, default: 1 }),
      },
      block,
    ),
    secureAggregation: Type.Object(
      {
        clipBound: Type.Number({ exclusiveMinimum: 0, maximum: 1e6, default: 10 }),
        valueBits: Type.Integer({ minimum: 2, maximum: 24, default: 16 }),
        weighting: Type.Union([Type.Literal('uniform'), Type.Literal('examples')], { default: 'uniform' }),
        maxWeight: Type.Integer({ minimum: 1, maximum: 65_535, default: 1 }),
        corrupt: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
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
    /** Held-out data: a module that exports `evaluationData`, or a JSON file. */
    evaluation: Type.Optional(
      Type.Union([
        Type.Object({ module: Type.String() }, { additionalProperties: false }),
        Type.Object({ file: Type.String() }, { additionalProperties: false }),
      ]),
    ),
  },
  { additionalProperties: false },
)

export type TaskSpec = Static<typeof taskSpec>
