import type { Metric } from '../scenarios/scenario.ts'
import type { SimulationConfig } from './config.ts'

/** The lowest, the median and the highest of the clients that took part. */
export interface Band {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** What the judged weights make of the test examples. */
export interface Judged {
  readonly examples: number
  readonly loss: number
  /** Of a classifier. */
  readonly accuracy?: number
  /** Of a forecast: mean absolute error, in its unit. */
  readonly mae?: number
  /** The scenario's own metric. */
  readonly metric: number
}

/** One committed round. */
export interface RoundRecord {
  readonly round: number
  readonly invited: number
  readonly survivors: number
  readonly dropouts: number
  readonly stragglers: number
  /** Attempts that were aborted before this one was committed. */
  readonly aborted: number
  /** Of local training, weighted as the update is. */
  readonly loss: number
  /** Of classifiers. */
  readonly accuracy?: number
  /** Bands over the clients, which only a simulation can see. */
  readonly lossBand: Band
  readonly accuracyBand?: Band
  readonly test: Judged
  /** Bytes that the survivors' updates take, and what all invited fetch. */
  readonly uploadBytes: number
  readonly downloadBytes: number
  /** Virtual seconds since the start, at the end of the round. */
  readonly seconds: number
  readonly modelHash: string
  /** With `check`: the largest difference from the plain mean over all parameters, and one quantum. */
  readonly check?: { readonly largest: number; readonly quantum: number }
}

/** How one client fares. */
export interface ClientRecord {
  readonly client: number
  readonly name: string
  readonly examples: number
  /** Examples by class, or by range. */
  readonly labels: readonly number[]
  /** Rounds in which its update counted. */
  readonly rounds: number
  /** The metric on what the client is judged by; `local` and `pooled` where baselines were asked for, `floor` of a forecast without a model. */
  readonly federated: number
  readonly floor?: number
  readonly local?: number
  readonly pooled?: number
}

export interface SimulationResult {
  readonly config: SimulationConfig
  readonly title: string
  readonly metric: string
  readonly better: Metric['better']
  /** Of the classes, or of the ranges of what is forecast. */
  readonly classNames: readonly string[]
  /** Unit of what is forecast, where it is a number. */
  readonly unit?: string
  readonly rounds: readonly RoundRecord[]
  readonly modelHash: string
  /** Of all examples as they went into training. */
  readonly dataHash: string
  /** First round that reached the target. */
  readonly reached?: number
  readonly test: Judged
  /** `confusion[label][predicted]`: test examples, by class or by range. */
  readonly confusion: readonly (readonly number[])[]
  /** All of them up to 200, else an even choice. */
  readonly clients: readonly ClientRecord[]
  readonly pooled?: Judged
  /** A forecast that needs no model. */
  readonly floor?: Judged & { readonly name: string }
  /** How the clients are judged: `own` examples that nobody trains on, or `all` test examples, which for classes are weighed by `labels`. */
  readonly judgedBy: 'own' | 'labels' | 'all'
  readonly participation: { readonly least: number; readonly mean: number; readonly most: number }
}

function bandOf(values: readonly number[]): Band {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] as number
  return { low: at(0), median: at(0.5), high: at(1) }
}

/** Bands over what the clients say of their training; none of accuracy where they train regressors. */
export function bandsOf(
  clients: readonly { readonly loss: number; readonly accuracy: number | undefined }[],
): Pick<RoundRecord, 'lossBand' | 'accuracyBand'> {
  const accuracies = clients.flatMap(({ accuracy }) => accuracy ?? [])
  return {
    lossBand: bandOf(clients.map(({ loss }) => loss)),
    ...(accuracies.length === 0 ? {} : { accuracyBand: bandOf(accuracies) }),
  }
}
