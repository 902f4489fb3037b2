import type { TrainingPlan } from '@fedweave/aggregator'
import type { PartitionSpec } from '../partition/spec.ts'

/** `on`: the live protocol, masks and all; `off`: a plain weighted sum; `check`: `on`, and each sum compared with the plain one. */
export type SecureMode = 'on' | 'off' | 'check'

/** How virtual clients behave; everything follows from the seed, on a virtual clock. */
export interface Behaviour {
  /** Part of the cohort that vanishes after sharing its keys, in mid-training. */
  readonly dropout: number
  /** Chance that a client is there when a round begins. */
  readonly availability: number
  /** Clients come and go over a virtual day of 24 hours, each with a shift of its own, instead of by chance. */
  readonly diurnal: boolean
  /** Spread of the clients' speeds: the standard deviation of the logarithm of the time one example takes. 0: all alike. */
  readonly speedSpread: number
  /** Virtual seconds after which a round no longer waits for an update; 0: for ever. */
  readonly deadline: number
  /** `ceil(overSelection * cohort)` clients are invited and the first `cohort` updates count. */
  readonly overSelection: number
}

/** All that the course of a simulation follows from, as plain JSON. */
export interface SimulationConfig {
  readonly scenario: string
  readonly seed: number
  readonly clients: number
  /** Part of the clients that a round asks, McMahan's C. */
  readonly fraction: number
  readonly rounds: number
  readonly plan: TrainingPlan
  readonly partition: PartitionSpec
  readonly secure: SecureMode
  /** `examples`: clients weigh as many examples as they have, as in FedAvg; `uniform`: all alike. */
  readonly weighting: 'uniform' | 'examples'
  /** L2 bound on a client's delta. */
  readonly clipBound: number
  readonly valueBits: number
  readonly behaviour: Behaviour
  /** Ends the run after the first round that reaches this value of the scenario's metric. */
  readonly target?: number
  /** Also trains each client alone, and one model on all data. */
  readonly baselines: boolean
}

export const STEADY: Behaviour = {
  dropout: 0,
  availability: 1,
  diurnal: false,
  speedSpread: 0,
  deadline: 0,
  overSelection: 1,
}

/** Clients that a round wants updates from: max(C * K, 1) as in McMahan 2017, and no fewer than secure aggregation needs. */
export function cohortSize({ clients, fraction, secure }: Pick<SimulationConfig, 'clients' | 'fraction' | 'secure'>): number {
  return Math.min(clients, Math.max(Math.round(fraction * clients), secure === 'off' ? 1 : 3))
}
