import type { Curves, Entropy, Prg, Runtime, Secretbox } from '@fedweave/aggregator'

/** What differs by place: Node, a browser, a simulation. */
export interface Platform {
  readonly runtime: Runtime
  readonly curves: Curves
  /** Absent where the trainer masks, and a page need not load it twice. */
  readonly prg?: Prg
  /** What seals updates; absent: tweetnacl. */
  readonly secretbox?: Secretbox
  readonly entropy: Entropy
}
