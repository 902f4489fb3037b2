import type { Curves } from '../crypto/curves.ts'
import type { Prg } from '../crypto/prg.ts'
import type { Secretbox } from '../crypto/secretbox.ts'
import type { Segments } from '../secagg/masks.ts'
import type { GraphRule } from '../secagg/params.ts'
import type { LocalUpdate } from '../secagg/update.ts'
import type { TaskConfig } from '../task/config.ts'
import type { Envelope, Network } from './harness-network.ts'

export type Probe = 'client:setup' | 'client:mask' | 'server:unmask'

export interface HarnessOptions {
  readonly clients: number
  readonly seed: string
  /** Overrides fields of the default config, whose model is one vector of `size` parameters. */
  readonly size?: number
  readonly config?: (defaults: TaskConfig) => unknown
  readonly curves?: Curves
  readonly prg?: Prg
  readonly secretbox?: Secretbox
  /** The graph that everybody computes, in place of the protocol's. */
  readonly graphOf?: GraphRule
  readonly update: (index: number) => LocalUpdate
  /** Runs each piece of work that a bench may want to time; `client` is the index of whose work it is. Default: just runs it. */
  readonly probe?: <T>(name: Probe, work: () => T, client?: number) => T
  /** Sees each client's quantised update before it is masked. */
  readonly onQuantised?: (index: number, plain: Segments<Uint32Array>) => void
  /** Leaves the sum masked and the round `completed`: the caller unmasks `sum`. */
  readonly leaveMasked?: boolean
  /** The network: what becomes of a message. Default: it arrives as it is. */
  readonly network?: Network
  /** Which of the messages under way arrives next; -1: none, time goes on to the next deadline. Default: the oldest. */
  readonly next?: (underWay: readonly Envelope[]) => number
}
