import {
  masksOf,
  openSeal,
  type Prg,
  type Secretbox,
  type Segments,
  type TaskConfig,
  toHex,
  type UnmaskingPlan,
  UpdateFormat,
  type UpdateSum,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { ReusedBytes } from './reused-bytes.ts'
import { ReusingPrg } from './reusing-prg.ts'

/** The coordinator's part in one worker thread: it opens what the clients of this thread sealed, as a server does, and adds it up. */
export class Inbox {
  readonly #prg: ReusingPrg
  readonly #secretbox: Secretbox
  readonly #opened = new ReusedBytes()
  #round: { readonly context: string; readonly sum: UpdateSum } | undefined

  constructor(prg: Prg, secretbox: Secretbox) {
    this.#prg = new ReusingPrg(prg)
    this.#secretbox = secretbox
  }

  /** `key`: the coordinator's for that seal. */
  take(config: TaskConfig, context: Uint8Array, key: Uint8Array, sealed: Uint8Array): void {
    const format = new UpdateFormat(config)
    const plain = openSeal(key, sealed, format.plainBytes, this.#secretbox, this.#opened.of(format.plainBytes))
    if (plain === undefined) throw new Error('an update is not sealed to this coordinator')
    this.#sumOf(config, context).addPlain(plain)
  }

  /** This thread's part of a round's sum, without the masks of `plan`. */
  close(config: TaskConfig, plan: UnmaskingPlan): Segments<Uint32Array> {
    const sum = this.#sumOf(config, plan.context)
    sum.unmask(masksOf(nodeCurves, plan))
    this.#round = undefined
    return sum.words()
  }

  /** One round at a time: what an aborted one left behind goes when the next begins. */
  #sumOf(config: TaskConfig, context: Uint8Array): UpdateSum {
    const name = toHex(context)
    if (this.#round?.context !== name) {
      this.#prg.takeBack()
      this.#round = { context: name, sum: new UpdateFormat(config).sum(this.#prg) }
    }
    return this.#round.sum
  }
}
