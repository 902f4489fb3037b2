import type { TrainingPlan } from '@fedweave/aggregator'
import type { SecureMode, SimulationConfig } from '../engine/config.ts'
import { parsePartition } from '../partition/spec.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { integerOption, numberOption } from './output.ts'

type Given = Readonly<Record<string, unknown>>

/** A scenario's settings with what the command line says instead. Throws `FL_USAGE` naming the option. */
export function configOf(scenario: Scenario, given: Given): SimulationConfig {
  const { defaults, metric } = scenario
  const integer = (name: string, min: number, max: number) => take(given, name, (raw) => integerOption(name, raw, min, max))
  const number = (name: string, min: number, max: number) => take(given, name, (raw) => numberOption(name, raw, min, max))
  const partition = given.noniid === true ? 'shard:shards=2' : given.partition
  const target = number('target', 0, metric.better === 'higher' ? 1 : 1e9) ?? defaults.target
  return {
    scenario: scenario.name,
    seed: integer('seed', 0, 2 ** 32 - 1) ?? defaults.seed,
    clients: integer('clients', 1, 100_000) ?? defaults.clients,
    fraction: number('fraction', 0, 1) ?? defaults.fraction,
    rounds: integer('rounds', 1, 1_000_000) ?? defaults.rounds,
    plan: planOf(defaults.plan, given, integer, number),
    partition: partition === undefined ? defaults.partition : parsePartition(String(partition)),
    secure: (given.secure as SecureMode | undefined) ?? defaults.secure,
    weighting: (given.weighting as 'examples' | 'uniform' | undefined) ?? defaults.weighting,
    clipBound: number('clip-bound', 1e-6, 1e6) ?? defaults.clipBound,
    valueBits: integer('value-bits', 2, 24) ?? defaults.valueBits,
    behaviour: {
      dropout: number('dropout', 0, 0.9) ?? defaults.behaviour.dropout,
      availability: number('availability', 0.001, 1) ?? defaults.behaviour.availability,
      diurnal: given.diurnal === true || defaults.behaviour.diurnal,
      speedSpread: number('speed-spread', 0, 5) ?? defaults.behaviour.speedSpread,
      deadline: number('deadline', 0, 1e9) ?? defaults.behaviour.deadline,
      overSelection: number('over-selection', 1, 4) ?? defaults.behaviour.overSelection,
    },
    ...(target === undefined || target === 0 ? {} : { target }),
    baselines: typeof given.baselines === 'boolean' ? given.baselines : defaults.baselines,
  }
}

type Numbers = (name: string, min: number, max: number) => number | undefined

/** An optimizer of another kind starts without the settings of the scenario's one. */
function planOf(usual: TrainingPlan, given: Given, integer: Numbers, number: Numbers): TrainingPlan {
  const optimizer = (given.optimizer as TrainingPlan['optimizer'] | undefined) ?? usual.optimizer
  const { momentum: usualMomentum, ...rest } = usual
  const momentum = number('momentum', 0, 0.9999) ?? (optimizer === usual.optimizer ? usualMomentum : undefined)
  const maxSteps = integer('max-steps', 1, 1_000_000) ?? usual.maxSteps
  const proximal = number('proximal', 0, 1000) ?? usual.proximal
  return {
    ...rest,
    epochs: integer('epochs', 1, 1000) ?? usual.epochs,
    batchSize: integer('batch', 1, 65_536) ?? usual.batchSize,
    optimizer,
    learningRate: number('learning-rate', 1e-9, 100) ?? usual.learningRate,
    ...(maxSteps === undefined ? {} : { maxSteps }),
    ...(momentum ? { momentum } : {}),
    ...(proximal ? { proximal } : {}),
  }
}

/** The option under its name in commander's spelling, parsed. */
function take<T>(given: Given, name: string, parse: (raw: unknown) => T): T | undefined {
  const raw = given[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
  return raw === undefined ? undefined : parse(raw)
}
