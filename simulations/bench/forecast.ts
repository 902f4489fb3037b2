import { Command } from 'commander'
import { integerOption, numberOption } from '../src/commands/output.ts'
import { beijingAir, YEARS } from '../src/data/beijing-air.ts'
import { simulate } from '../src/engine/simulate.ts'
import type { Scenario } from '../src/scenarios/scenario.ts'
import { airModel, scenario } from '../src/scenarios/smart-city.ts'

const { defaults } = scenario

export const command = new Command('forecast')
  .description('RMSE of smart-city on the forecasts of 2015, trained on those of 2013 and 2014: what its settings are chosen by')
  .option('--hidden <units...>', 'units of each hidden layer; 0: none', ['64'])
  .option('--batch <n>', 'examples of one update', String(defaults.plan.batchSize))
  .option('--learning-rate <x>', 'of Adam', String(defaults.plan.learningRate))
  .option('--rounds <n>', 'rounds to run', String(defaults.rounds))

/** `rmse`: after every tenth round and the last one, in micrograms in a cubic metre; `persistence`: of the forecast that it stays as it is. */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const hidden = (options.hidden as string[]).map((units) => integerOption('hidden', units, 0, 4096)).filter((units) => units > 0)
  const batchSize = integerOption('batch', options.batch, 1, 65_536)
  const learningRate = numberOption('learning-rate', options.learningRate, 1e-9, 100)
  const rounds = integerOption('rounds', options.rounds, 1, 10_000)
  const earlier: Scenario = {
    ...scenario,
    load: (library) => beijingAir(library, YEARS.validation),
    topology: ({ train }, seed) => airModel(train.shape, hidden, seed),
  }
  const plan = { ...defaults.plan, batchSize, learningRate }
  const config = { ...defaults, scenario: scenario.name, rounds, plan, secure: 'off', baselines: false } as const
  const result = await simulate(earlier, config, { workers: 1 })
  const rmse = result?.rounds.filter(({ round }) => round % 10 === 0 || round === rounds).map(({ test }) => round2(test.metric))
  return { hidden, batchSize, learningRate, rounds, rmse, persistence: round2(result?.floor?.metric) }
}

function round2(value = Number.NaN): number {
  return Number(value.toFixed(2))
}
