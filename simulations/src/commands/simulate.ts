import { mkdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FedweaveError, hash, toHex } from '@fedweave/aggregator'
import { DataLibrary } from '../data/library.ts'
import type { SimulationConfig } from '../engine/config.ts'
import type { SimulationResult } from '../engine/record.ts'
import { simulate } from '../engine/simulate.ts'
import { judgedText } from '../report/judged.ts'
import { findScenario, SCENARIO_NAMES } from '../scenarios/index.ts'
import { ownScenario } from '../scenarios/own.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { gridOf, type Setting, tableOf } from '../sweep/sweep.ts'
import type { Action } from './action.ts'
import { integerOption, interruptSignal } from './output.ts'
import { configOf } from './simulate-config.ts'
import { narrator } from './simulate-progress.ts'

type Options = Readonly<Record<string, unknown>>

export const run: Action = async (options, [name]) => {
  if (Array.isArray(options.compare)) return compare(options.compare, options)
  if (name === undefined) throw new FedweaveError('FL_USAGE', `which scenario? There are: ${SCENARIO_NAMES.join(', ')}`)
  const scenario = name === 'own' ? ownScenario(options.data) : await findScenario(name)
  const sweep = (options.sweep as readonly string[] | undefined) ?? []
  const repeats = options.repeats === undefined ? 1 : integerOption('repeats', options.repeats, 1, 1000)
  return sweep.length > 0 || repeats > 1 ? runSweep(scenario, options, sweep, repeats) : runOne(scenario, options)
}

async function runOne(scenario: Scenario, options: Options): Promise<number> {
  const json = options.json === true
  const config = configOf(scenario, options)
  const folder = typeof options.out === 'string' ? options.out : defaultFolder(config)
  const result = await runTo(folder, scenario, config, options, interruptSignal())
  if (result === undefined) return 1
  if (json) console.log(JSON.stringify({ ...result, folder }))
  else console.log(`\n${conclusion(result)}\nreport: ${join(folder, 'report.html')}`)
  return 0
}

/** One run with its report; nothing when it was stopped. */
async function runTo(
  folder: string,
  scenario: Scenario,
  config: SimulationConfig,
  options: Options,
  signal: AbortSignal,
): Promise<SimulationResult | undefined> {
  const workers = options.workers === undefined ? availableParallelism() : integerOption('workers', options.workers, 1, 256)
  if (options.fresh === true) await rm(join(folder, 'state.bin'), { force: true })
  const narrate = narrator(options.json === true ? process.stderr : process.stdout, scenario)
  const library = new DataLibrary({ onProgress: narrate.onFetch })
  const started = performance.now()
  let backend = ''
  try {
    const result = await simulate(scenario, config, {
      workers,
      library,
      folder,
      transport: options.transport === 'socket' ? 'socket' : 'memory',
      signal,
      onEvent(event) {
        if (event.type === 'loaded') backend = event.backend
        narrate.onEvent(event)
      },
    })
    if (result === undefined) return undefined
    const { manifestOf } = await import('../report/manifest.ts')
    const { writeReport } = await import('../report/write.ts')
    const seconds = (performance.now() - started) / 1000
    const circumstances = { command: commandOf(config), dataHash: result.dataHash, backend, workers, seconds }
    const { png } = await writeReport(folder, result, await manifestOf(config, result.modelHash, circumstances))
    if (!png) narrate.say('plots are there as SVG only: no font was found to draw PNG with')
    return result
  } finally {
    narrate.end()
  }
}

async function runSweep(scenario: Scenario, options: Options, sweep: readonly string[], repeats: number): Promise<number> {
  const settings = gridOf(sweep, repeats, Number(configOf(scenario, options).seed))
  const configs = settings.map(({ fields }) => configOf(scenario, { ...options, ...fields })) // all are checked before any runs
  const folder =
    typeof options.out === 'string' ? options.out : join('.fedweave', 'sweeps', `${scenario.name}-${digest([configs])}`)
  const signal = interruptSignal()
  const done: { setting: Setting; result: SimulationResult }[] = []
  for (const [i, setting] of settings.entries()) {
    const config = configs[i] as SimulationConfig
    const say = options.json === true ? console.error : console.log
    say(`\n${i + 1} of ${settings.length}: ${setting.name || 'as it is'}, seed ${config.seed}`)
    const result = await runTo(join(folder, `${digest([config])}`), scenario, config, options, signal)
    if (result === undefined) return 1
    done.push({ setting, result })
  }
  const { text, csv, rows } = tableOf(done, scenario.metric.name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'sweep.csv'), csv)
  if (options.json === true) console.log(JSON.stringify({ scenario: scenario.name, metric: scenario.metric.name, rows, folder }))
  else console.log(`\n${text}\ntable: ${join(folder, 'sweep.csv')}`)
  return 0
}

async function compare(paths: readonly string[], options: Options): Promise<number> {
  const { compareRuns } = await import('../report/compare.ts')
  const { columns, rows, page } = await compareRuns(paths)
  const named = rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))
  if (typeof options.out === 'string') {
    await mkdir(options.out, { recursive: true })
    await writeFile(join(options.out, 'compare.html'), page)
  }
  if (options.json === true) console.log(JSON.stringify(named))
  else console.table(named)
  return 0
}

function conclusion({ test, metric, floor, modelHash, reached, rounds }: SimulationResult): string {
  const beaten = floor === undefined ? '' : `; ${floor.name}: ${judgedText(metric, floor)}`
  const goal = reached === undefined ? '' : `; the target was reached in round ${reached}`
  return `after ${rounds.length} rounds: ${judgedText(metric, test)} on ${test.examples.toLocaleString('en')} test examples${beaten}${goal}\nmodel ${modelHash}`
}

/** One for each setting, so that the same command goes on where it was interrupted. */
function defaultFolder({ rounds: _rounds, target: _target, baselines: _baselines, ...config }: SimulationConfig): string {
  return join('.fedweave', 'runs', `${config.scenario}-${digest([config])}`)
}

function digest(of: readonly object[]): string {
  return toHex(hash('run', JSON.stringify(of))).slice(0, 8)
}

/** The command line that runs these settings, whatever the scenario's own are by then. */
function commandOf({ scenario, plan, partition, behaviour, ...config }: SimulationConfig): string {
  const { name, ...parameters } = partition
  const spec = Object.entries(parameters).map(([key, value]) => `${key}=${value}`)
  const options: Record<string, string | number | undefined> = {
    clients: config.clients,
    fraction: config.fraction,
    rounds: config.rounds,
    epochs: plan.epochs,
    batch: plan.batchSize,
    'max-steps': plan.maxSteps,
    optimizer: plan.optimizer,
    'learning-rate': plan.learningRate,
    momentum: plan.momentum,
    proximal: plan.proximal,
    partition: [name, ...(spec.length > 0 ? [spec.join(',')] : [])].join(':'),
    weighting: config.weighting,
    'clip-bound': config.clipBound,
    'value-bits': config.valueBits,
    secure: config.secure,
    dropout: behaviour.dropout,
    availability: behaviour.availability,
    'speed-spread': behaviour.speedSpread,
    deadline: behaviour.deadline,
    'over-selection': behaviour.overSelection,
    target: config.target,
    seed: config.seed,
  }
  const given = Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [`--${option} ${value}`]))
  const flags = [...(behaviour.diurnal ? ['--diurnal'] : []), config.baselines ? '--baselines' : '--no-baselines']
  return ['fedweave simulate', scenario, ...given, ...flags].join(' ')
}
