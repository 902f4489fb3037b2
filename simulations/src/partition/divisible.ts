import { FedweaveError } from '@fedweave/aggregator'

/** What partitioners look at. */
export interface Divisible {
  readonly labels: Int32Array
  readonly classes: number
  /** The natural client of each example, from 0, where there are some. */
  readonly ids?: Int32Array | undefined
}

/** For partitioners: a request that no dealing of these examples meets. */
export function impossible(message: string): FedweaveError {
  return new FedweaveError('FL_OUT_OF_RANGE', message)
}
