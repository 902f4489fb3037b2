import type { Metrics } from '@fedweave/client/training'
import type { Dataset } from '../data/dataset.ts'
import type { DataLibrary } from '../data/library.ts'
import type { SimulationConfig } from '../engine/config.ts'

/** A data set, and who has what of it where that is a fact and no choice. */
export interface Federation {
  readonly train: Dataset
  /** The same object as `train` where every client holds out some of its own examples. */
  readonly test: Dataset
  readonly classNames: readonly string[]
  readonly natural?: NaturalClients
}

export interface NaturalClients {
  readonly names: readonly string[]
  /** The client of each example. */
  readonly train: Int32Array
  readonly test: Int32Array
}

export type Settings = Omit<SimulationConfig, 'scenario'>

/** A task of the real world: data, model, plan and what counts in it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** One sentence for `--help`. */
  readonly summary: string
  readonly defaults: Settings
  readonly metric: { readonly name: string; of(metrics: Metrics): number }
  /** Part of its examples that each client keeps for tests; absent: the data set has test examples of its own. */
  readonly holdout?: number
  /** Throws what `DataLibrary.read` does. */
  load(library: DataLibrary): Promise<Federation>
  /** TensorFlow.js layers JSON, its initial weights drawn from `seed`. */
  topology(federation: Federation, seed: number): string
}
