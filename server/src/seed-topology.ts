import { FedweaveError } from '@fedweave/aggregator'

/** Initialisers of TensorFlow.js that draw nothing. */
const CONSTANT = ['Zeros', 'Ones', 'Constant', 'Identity']

/**
 * The same TensorFlow.js layers JSON, whose initialisers all draw from `seed`: the n-th from `seed + n`, so that no two layers
 * get the same numbers. Throws `FL_CONFIG_INVALID` where there is none to seed.
 */
export function seedTopology(topology: string, seed: number): string {
  let seeded = 0
  const withSeeds = JSON.stringify(parse(topology), (name, value: unknown) => {
    if (!name.endsWith('_initializer') || !isInitialiser(value) || CONSTANT.includes(value.class_name)) return value
    const next = (seed + seeded++) % 2 ** 32
    return { ...value, config: { ...value.config, seed: next } }
  })
  if (seeded === 0) throw new FedweaveError('FL_CONFIG_INVALID', 'model.seed: the topology names no initialiser that draws')
  return withSeeds
}

function parse(topology: string): unknown {
  try {
    return JSON.parse(topology)
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', `model.topology: it is no JSON: ${(cause as Error).message}`, { cause })
  }
}

function isInitialiser(value: unknown): value is { readonly class_name: string; readonly config?: object } {
  return typeof value === 'object' && value !== null && 'class_name' in value && typeof value.class_name === 'string'
}
