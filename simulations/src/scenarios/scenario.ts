import type { Metrics } from '@fedweave/client/training'
import type { Dataset } from '../data/dataset.ts'
import type { DataLibrary } from '../data/library.ts'
import type { SimulationConfig } from '../engine/config.ts'

/** A data set, and who has what of it where that is a fact and no choice. */
export interface Federation {
  readonly train: Dataset
  /** The same object as `train` where every client holds out some of its own examples. */
  readonly test: Dataset
  /** Of the classes; where numbers are forecast, of the ranges that reports count them by. */
  readonly classNames: readonly string[]
  /** Where the labels are numbers. */
  readonly forecast?: Forecast
  readonly natural?: NaturalClients
}

/** Numbers to forecast: how the labels were made of them, and what a forecast has to beat. */
export interface Forecast {
  readonly unit: string
  /** A label is (number - `mean`) / `deviation`. */
  readonly mean: number
  readonly deviation: number
  /** Between the ranges, ascending, in the unit: one fewer than there are names. */
  readonly bounds: readonly number[]
  /** A forecast that needs no model, as a label for each test example. */
  readonly floor: { readonly name: string; readonly test: Float32Array }
}

export interface NaturalClients {
  readonly names: readonly string[]
  /** The client of each example. */
  readonly train: Int32Array
  readonly test: Int32Array
}

export type Settings = Omit<SimulationConfig, 'scenario'>

/** What counts in a scenario. */
export interface Metric {
  readonly name: string
  readonly better: 'higher' | 'lower'
  of(metrics: Metrics, federation: Federation): number
}

/** A task of the real world: data, model, plan and what counts in it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** One sentence for `--help`. */
  readonly summary: string
  readonly defaults: Settings
  readonly metric: Metric
  /** Part of its examples that each client keeps for tests; absent: the data set has test examples of its own. */
  readonly holdout?: number
  /** Throws what `DataLibrary.read` does. */
  load(library: DataLibrary): Promise<Federation>
  /** TensorFlow.js layers JSON, its initial weights drawn from `seed`. */
  topology(federation: Federation, seed: number): string
}
