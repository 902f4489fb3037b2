import type { Curves, Entropy, Prg } from '@fedweave/aggregator'

/** What differs by place: Node, a browser, a simulation. */
export interface Platform {
  readonly curves: Curves
  readonly prg: Prg
  readonly entropy: Entropy
}
