import {
  isFault,
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
import { nodeCurves, release } from '@fedweave/aggregator/node'
import { digestOf } from './task.ts'

/** The coordinator's part in one worker thread: it opens what the clients of this thread sealed, as a server does, and adds it up. */
export class Inbox {
  readonly #prg: Prg
  readonly #secretbox: Secretbox
  #round: { readonly context: string; readonly sum: UpdateSum } | undefined

  constructor(prg: Prg, secretbox: Secretbox) {
    this.#prg = prg
    this.#secretbox = secretbox
  }

  /** Takes the memory of `sealed`. Returns its digest, in hex. */
  take(config: TaskConfig, context: Uint8Array, key: Uint8Array, sealed: Uint8Array<ArrayBuffer>): string {
    const format = new UpdateFormat(config)
    const digest = toHex(digestOf(sealed))
    const plain = openSeal(key, sealed, format.plainBytes, this.#secretbox)
    if (plain === undefined) throw new Error('an update is not sealed to this coordinator')
    release(sealed)
    const update = format.parse(plain)
    if (isFault(update)) throw new Error(update.message)
    release(plain)
    this.#sumOf(config, context).add(update)
    release(update.update)
    return digest
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
    if (this.#round?.context !== name) this.#round = { context: name, sum: new UpdateFormat(config).sum(this.#prg) }
    return this.#round.sum
  }
}
