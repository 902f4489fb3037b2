import { fastestPrg } from '@fedweave/aggregator/node'
import { DataLibrary } from '../data/library.ts'
import type { Federation, Scenario } from '../scenarios/scenario.ts'
import { assign } from './assignment.ts'
import { Authority } from './authority.ts'
import type { SimulationConfig } from './config.ts'
import { dataHashOf } from './data-hash.ts'
import { type Lane, WorkerPool } from './pool.ts'
import type { Stage } from './round.ts'
import { shareDataset } from './shared.ts'
import { taskOf } from './task.ts'

/** A run before its first round. Close `stage.pool` after use. */
export interface OpenedStage {
  readonly stage: Stage
  readonly scenario: Scenario
  readonly federation: Federation
  readonly dataHash: string
  /** Weights that the model's initialisers draw. */
  readonly initial: Float32Array
  /** Test examples that the global model is judged by. */
  readonly testRows: Int32Array
}

/** Loads the data, deals them, builds the model's description and starts the workers. Errors are those of `simulate`. */
export async function openStage(
  scenario: Scenario,
  config: SimulationConfig,
  workers: number,
  library = new DataLibrary(),
): Promise<OpenedStage> {
  const loaded = await scenario.load(library)
  const train = shareDataset(loaded.train)
  const federation = { ...loaded, train, test: loaded.test === loaded.train ? train : shareDataset(loaded.test) }
  const assignment = assign(federation, config, scenario.holdout)
  const testRows = assignment.test?.rows ?? Int32Array.from(federation.test.labels.keys())
  const dataHash = dataHashOf(federation)
  const pool = new WorkerPool({ train, test: federation.test }, workers)
  try {
    const [first] = pool.lanes as readonly [Lane]
    // In a worker: this thread stays without TensorFlow.js and its memory.
    const topology = scenario.topology(federation, config.seed)
    const { model, weights: initial } = await first.ask<'describe'>({ kind: 'describe', topology })
    const authority = new Authority(String(config.seed))
    const sizes = Array.from({ length: config.clients }, (_, client) => assignment.train.sizeOf(client))
    const most = sizes.reduce((largest, size) => Math.max(largest, size))
    const task = taskOf(config, model, initial, most, authority.enrolmentHex)
    return {
      stage: { config, assignment, model, task, authority, environments: authority.environments(task), pool, prg: fastestPrg() },
      scenario,
      federation,
      dataHash,
      initial,
      testRows,
    }
  } catch (error) {
    await pool.close()
    throw error
  }
}
