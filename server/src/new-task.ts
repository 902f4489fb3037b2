import { FedweaveError } from '@fedweave/aggregator'
import { type Static, Type } from 'typebox'
import { check } from './config/parse.ts'
import { seedTopology } from './seed-topology.ts'
import { type TaskSpec, taskSpec } from './task-spec.ts'

const { evaluation: _, ...fields } = taskSpec.properties

/**
 * What an operator sends to make a task. Held-out data are not part of it: they are files or code on the server, which its
 * config alone may name.
 */
export const newTask = Type.Object(
  {
    ...fields,
    model: Type.Object(
      {
        topology: Type.Unsafe<string | object>({
          type: ['string', 'object'],
          description: 'TensorFlow.js layers JSON: what `model.toJSON()` gives, as text or as the object itself.',
        }),
        initialWeights: Type.Optional(
          Type.String({ description: 'Weights to begin with: little-endian float32 in the order of the layers, in base64.' }),
        ),
        seed: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 2 ** 32 - 1,
            description: 'Seeds the initialisers instead; at most one of the two.',
          }),
        ),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false, title: 'NewTask' },
)

/** Rules that look at updates one by one, by the names that other frameworks give them. */
const SINGLE_UPDATE_RULES = ['krum', 'multi-krum', 'bulyan', 'trimmed-updates', 'geometric-median']

/** Fills in the defaults. Throws `FL_CONFIG_INVALID` naming the field; `prepareTask` checks how fields go together. */
export function parseNewTask(raw: unknown): TaskSpec {
  const { combine } = (raw ?? {}) as { combine?: unknown }
  if (typeof combine === 'string' && SINGLE_UPDATE_RULES.includes(combine))
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `combine: ${combine} needs single updates, which secure aggregation keeps from the server`,
      { cure: 'Sum several cohorts with `cohort.groups`, and combine their means by median, trimmed-mean or norm-bounded.' },
    )
  const { model, ...task } = check(newTask, raw) as Static<typeof newTask>
  return { ...task, model: modelOf(model) }
}

function modelOf({ topology, initialWeights, seed }: Static<typeof newTask>['model']): TaskSpec['model'] {
  const text = typeof topology === 'string' ? topology : JSON.stringify(topology)
  if (initialWeights === undefined) return { topology: seed === undefined ? text : seedTopology(text, seed) }
  if (seed !== undefined)
    throw new FedweaveError('FL_CONFIG_INVALID', 'model.seed: the weights are given by model.initialWeights already')
  return { topology: text, initialWeights: floats(initialWeights) }
}

function floats(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || bytes.length % 4 !== 0)
    throw new FedweaveError('FL_CONFIG_INVALID', 'model.initialWeights: expected float32 values in base64')
  return new Float32Array(bytes.buffer)
}
