import { FedweaveError } from '@fedweave/aggregator'
import { nearest } from '../nearest.ts'
import { dirichlet } from './dirichlet.ts'
import { type Divisible, impossible } from './divisible.ts'
import { iid } from './iid.ts'
import { groupedNatural, natural } from './natural.ts'
import type { Partition } from './partition.ts'
import { pathological } from './pathological.ts'
import { shard } from './shard.ts'
import { exponential, linear, square } from './sizes.ts'

/** A partitioner's name and its parameters, as plain JSON. */
export interface PartitionSpec {
  readonly name: string
  readonly [parameter: string]: string | number | boolean
}

interface Parameter {
  readonly default: number | boolean
  /** For numbers: the least that makes sense; `exclusive` for "above". */
  readonly above?: number
  readonly least?: number
  readonly integer?: boolean
  readonly meaning: string
}

export interface Partitioner {
  readonly summary: string
  readonly parameters: Readonly<Record<string, Parameter>>
  /** `values` holds every parameter. Throws `FL_OUT_OF_RANGE` for what cannot be, saying why. */
  divide(data: Divisible, clients: number, seed: number, values: Readonly<Record<string, number>>): Partition
}

const count = (meaning: string, standard: number): Parameter => ({ default: standard, least: 1, integer: true, meaning })

/** The partitioners under the names that the field knows them by. */
export const PARTITIONERS: Readonly<Record<string, Partitioner>> = {
  iid: { summary: 'shuffled and cut into equal parts (McMahan 2017)', parameters: {}, divide: iid },
  dirichlet: {
    summary: 'each class dealt in proportions drawn from a Dirichlet distribution (Hsu 2019; self-balancing: Yurochkin 2019)',
    parameters: {
      alpha: { default: 0.5, above: 0, meaning: 'concentration: small is skewed, large is even' },
      'min-size': count('fewest examples of a client; drawn again until all have them', 10),
      'self-balancing': { default: false, meaning: 'no more of a class for a client that has its even share' },
    },
    divide: dirichlet,
  },
  pathological: {
    summary: 'so many classes for each client, and each class dealt evenly to those that have it (Li 2022)',
    parameters: { classes: count('classes of each client', 2) },
    divide: pathological,
  },
  shard: {
    summary: 'sorted by class, cut into shards, so many shards for each client (McMahan 2017)',
    parameters: {
      shards: count('shards of each client', 2),
      size: { default: 0, least: 0, integer: true, meaning: 'examples of a shard; 0: as many as use all examples' },
      'keep-incomplete': { default: false, meaning: 'deal the last, smaller shard too' },
    },
    divide: shard,
  },
  linear: { summary: 'shuffled; client i has a part proportional to i', parameters: {}, divide: linear },
  square: { summary: 'shuffled; client i has a part proportional to i squared', parameters: {}, divide: square },
  exponential: { summary: 'shuffled; client i has a part proportional to e to the i', parameters: {}, divide: exponential },
  natural: { summary: 'the clients that the data come from', parameters: {}, divide: natural },
  grouped: {
    summary: 'the clients that the data come from, put together in groups',
    parameters: { size: count('natural clients of one group', 2) },
    divide: groupedNatural,
  },
}

/** Deals the examples to clients. Throws `FL_OUT_OF_RANGE` for an impossible request, saying why and what would do. */
export function partition(spec: PartitionSpec, data: Divisible, clients: number, seed: number): Partition {
  const { name, ...given } = spec
  const partitioner = partitionerOf(name)
  if (!Number.isInteger(clients) || clients < 1) throw impossible(`expected 1 client or more, got ${clients}`)
  const values: Record<string, number> = {}
  for (const [key, { default: standard }] of Object.entries(partitioner.parameters)) values[key] = Number(given[key] ?? standard)
  return partitioner.divide(data, clients, seed, values)
}

/** Parses `dirichlet:alpha=0.3,min-size=5`. Throws `FL_USAGE` naming the nearest name or parameter, and all of them. */
export function parsePartition(text: string): PartitionSpec {
  const [name = '', ...rest] = text.split(':')
  const { parameters } = partitionerOf(name)
  const spec: Record<string, string | number | boolean> = {}
  for (const part of rest.join(':').split(',').filter(Boolean)) {
    const [key = '', raw] = part.split('=')
    const parameter = Object.hasOwn(parameters, key) ? parameters[key] : undefined
    if (parameter === undefined) throw usage(`partition ${name} has no parameter`, key, Object.keys(parameters))
    spec[key] = parameterValue(`${name}:${key}`, raw, parameter)
  }
  return { name, ...spec }
}

function partitionerOf(name: string): Partitioner {
  const found = Object.hasOwn(PARTITIONERS, name) ? PARTITIONERS[name] : undefined
  if (found === undefined) throw usage('there is no partition', name, Object.keys(PARTITIONERS))
  return found
}

function parameterValue(
  path: string,
  raw: string | undefined,
  { default: standard, above, least, integer }: Parameter,
): number | boolean {
  if (typeof standard === 'boolean') {
    if (raw === undefined || raw === 'true') return true
    if (raw === 'false') return false
    throw new FedweaveError('FL_USAGE', `${path} takes true or false, got ${JSON.stringify(raw)}`)
  }
  const value = Number(raw)
  const fits = raw !== undefined && raw !== '' && Number.isFinite(value) && (!integer || Number.isInteger(value))
  if (fits && (above === undefined || value > above) && (least === undefined || value >= least)) return value
  const bound = above === undefined ? `of ${least} or more` : `above ${above}`
  throw new FedweaveError(
    'FL_USAGE',
    `${path} takes ${integer ? 'an integer' : 'a number'} ${bound}, got ${JSON.stringify(raw ?? '')}`,
  )
}

function usage(what: string, name: string, names: readonly string[]): FedweaveError {
  const suggestion = nearest(name, names)
  const hint = suggestion === undefined ? '.' : `, did you mean ${suggestion}?`
  return new FedweaveError('FL_USAGE', `${what} ${JSON.stringify(name)}${hint} There are: ${names.join(', ') || 'none'}`)
}
