import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { drawCohort } from '../src/engine/cohort.ts'
import type { SimulationConfig } from '../src/engine/config.ts'
import { judgeRows } from '../src/engine/judge.ts'
import { type OpenedStage, openStage } from '../src/engine/open-stage.ts'
import { firstState, nextRound } from '../src/engine/rounds.ts'
import { seedOf } from '../src/engine/seeds.ts'
import { shareFloats } from '../src/engine/shared.ts'
import { scenario } from '../src/scenarios/mnist.ts'

export const command = new Command('simulate')
  .description('a secure simulation of MNIST against its training and evaluation alone, on the same workers')
  .option('--rounds <n>', 'timed rounds of each kind, taken in turns', '8')
  .option('--epochs <n>', 'passes over its examples that a client makes in a round', '1')
  .option('--workers <n>', 'worker threads; default: one for each core')

/**
 * Rounds of `simulate mnist` with secure aggregation, and in turn with them the bare work: the same clients trained and the same images judged
 * on the same worker threads, with no sum, no protocol and no state. `ratio` is that of the fastest rounds of each kind: whatever else
 * runs on the machine can only make a round slower; `cpuRatio` counts the processor time of all threads instead.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const rounds = integerOption('rounds', options.rounds, 1, 1000)
  const workers = options.workers === undefined ? availableParallelism() : integerOption('workers', options.workers, 1, 256)
  const epochs = integerOption('epochs', options.epochs, 1, 1000)
  const plan = { ...scenario.defaults.plan, epochs }
  const config: SimulationConfig = { scenario: scenario.name, ...scenario.defaults, plan, rounds: rounds + 1 }
  const opened = await openStage(scenario, config, workers)
  const secureRounds: Spent[] = []
  const bareRounds: Spent[] = []
  try {
    let state = firstState(opened)
    for (let round = 0; round <= rounds; round++) {
      const weights = shareFloats(state.weights)
      const bare = await timed(() => bareRound(opened, weights, round + 1))
      const secure = await timed(async () => {
        state = await nextRound(opened, state, () => undefined)
      })
      if (round === 0) continue // compiling, and first touches of memory
      bareRounds.push(bare)
      secureRounds.push(secure)
    }
    const [secure, bare] = [secureRounds, bareRounds].map((spent) => ({
      wall: Math.min(...spent.map(({ wallMs }) => wallMs)),
      cpu: Math.min(...spent.map(({ cpuMs }) => cpuMs)),
    })) as [Least, Least]
    return {
      workers,
      clients: config.clients,
      cohort: opened.stage.task.config.cohort.target,
      epochs,
      rounds,
      secureMs: Math.round(secure.wall),
      bareMs: Math.round(bare.wall),
      ratio: Number((secure.wall / bare.wall).toFixed(3)),
      secureCpuMs: Math.round(secure.cpu),
      bareCpuMs: Math.round(bare.cpu),
      cpuRatio: Number((secure.cpu / bare.cpu).toFixed(3)),
    }
  } finally {
    await opened.stage.pool.close()
  }
}

async function bareRound({ stage, testRows }: OpenedStage, weights: Float32Array, round: number): Promise<void> {
  const { config, assignment, model, pool } = stage
  const { survivors } = drawCohort(config, round, 0, 0, () => 1)
  await pool.each(survivors, async (client, lane) => {
    const request = { model, weights, plan: config.plan, seed: seedOf('training', config.seed, client, round) }
    await lane.ask<'train'>({ kind: 'train', rows: assignment.train.rowsOf(client), request })
  })
  await judgeRows(pool, { model, plan: config.plan, on: 'test' }, weights, testRows)
}

interface Spent {
  readonly wallMs: number
  /** Of all threads of the process. */
  readonly cpuMs: number
}

interface Least {
  readonly wall: number
  readonly cpu: number
}

async function timed(work: () => Promise<void>): Promise<Spent> {
  const [from, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wallMs: performance.now() - from, cpuMs: (user + system) / 1000 }
}
