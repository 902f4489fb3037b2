import type { ModelSpec } from '@fedweave/aggregator'
import { Random, shuffleInPlace } from '@fedweave/client/training'
import type { Assignment } from './assignment.ts'
import type { SimulationConfig } from './config.ts'
import type { Lane, WorkerPool } from './pool.ts'
import { seedOf } from './seeds.ts'

/** Clients that are trained alone, at most: an even choice of all. */
const MOST_ALONE = 20

export interface Baselines {
  /** One model on all training examples, in as many passes as the federation took over them. */
  readonly pooled: Float32Array
  /** Models of clients that train on their own examples alone, for as many rounds as the federation. */
  readonly local: ReadonlyMap<number, Float32Array>
}

/** Trains what a federation is compared with, from the same initial weights and by the same plan. */
export async function trainBaselines(
  pool: WorkerPool,
  config: SimulationConfig,
  { train }: Assignment,
  model: ModelSpec,
  initial: Float32Array,
  rounds: number,
  onDone: (done: number, of: number) => void,
): Promise<Baselines> {
  const clients = evenChoice(train.clients, MOST_ALONE)
  const local = new Map<number, Float32Array>()
  let pooled = initial
  const jobs = ['pooled' as const, ...clients]
  let done = 0
  await pool.each(jobs, async (job, lane) => {
    if (job === 'pooled') {
      const passes = Math.max(1, Math.round(rounds * config.fraction))
      pooled = await trainAlone(lane, config, model, initial, inAnyOrder(train.rows, config.seed), passes, 'pooled')
    } else local.set(job, await trainAlone(lane, config, model, initial, train.rowsOf(job), rounds, `local/${job}`))
    onDone(++done, jobs.length)
  })
  return { pooled, local }
}

async function trainAlone(
  lane: Lane,
  { seed, plan }: SimulationConfig,
  model: ModelSpec,
  initial: Float32Array,
  rows: Int32Array,
  rounds: number,
  name: string,
): Promise<Float32Array> {
  let weights = initial
  for (let round = 1; round <= rounds; round++) {
    const request = { model, weights, plan, seed: seedOf('training', seed, name, round) }
    const { delta } = await lane.ask<'train'>({ kind: 'train', rows, request })
    weights = weights.map((weight, i) => weight + ((delta as Float32Array)[i] as number))
  }
  return weights
}

/** A plan with `maxSteps` stops before the end of an epoch: the first rows must not be one client's. */
function inAnyOrder(rows: Int32Array, seed: number): Int32Array {
  const order = new Uint32Array(rows)
  shuffleInPlace(order, new Random(seedOf('pooled', seed)))
  return Int32Array.from(order)
}

/** `most` of the numbers below `of`, evenly spaced; all of them if they are no more. */
export function evenChoice(of: number, most: number): number[] {
  const count = Math.min(of, most)
  return Array.from({ length: count }, (_, i) => Math.floor((i * of) / count))
}
