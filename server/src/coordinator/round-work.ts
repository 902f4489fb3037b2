import { createHash } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'
import {
  type Aggregate,
  type ClientId,
  type CoordinatorState,
  type Curves,
  FedweaveError,
  isFault,
  openSeal,
  type Prg,
  rebuildMasks,
  type Segments,
  sealKey,
  sharedKey,
  type UpdateFormat,
  type UpdateSum,
} from '@fedweave/aggregator'

/** Masks taken off between two breaths of the event loop: some 10 ms of work for a model of a million parameters. */
const MASKS_AT_ONCE = 4

/** The vector side of one round: opens uploads, adds them up, takes the masks off. Holds no plain update of anybody. */
export class RoundWork {
  readonly #format: UpdateFormat
  readonly #sum: UpdateSum
  readonly #opened = new Map<ClientId, Segments<Uint32Array>>()
  /** Most bytes that one upload took on its socket. */
  uploadBytes = 0

  constructor(format: UpdateFormat, prg: Prg) {
    this.#format = format
    this.#sum = format.sum(prg)
  }

  /**
   * Opens a sealed upload and keeps its masked words until the round's machine says whether they count. Returns the
   * upload's digest. Throws `FL_SEAL_BROKEN` or `FL_UPDATE_SHAPE`.
   */
  open(
    curves: Curves,
    coordinatorSecret: Uint8Array,
    channelKey: Uint8Array,
    context: Uint8Array,
    from: ClientId,
    sealed: Uint8Array,
  ): string {
    const shared = sharedKey(curves, coordinatorSecret, channelKey)
    const plain = shared && openSeal(sealKey(shared, context, 'upload', from), sealed, this.#format.plainBytes)
    if (plain === undefined)
      throw new FedweaveError('FL_SEAL_BROKEN', 'the update is not sealed to this coordinator in this round')
    const parsed = this.#format.parse(plain)
    if (isFault(parsed)) throw new FedweaveError(parsed.fault, parsed.message)
    this.#opened.set(from, parsed)
    return createHash('sha256').update(sealed).digest('hex')
  }

  accumulate(from: ClientId): void {
    const opened = this.#opened.get(from)
    if (opened === undefined) throw new Error('an update counted that was never opened')
    this.#sum.add(opened)
    this.#opened.delete(from)
  }

  discard(from: ClientId): void {
    this.#opened.delete(from)
  }

  /** Throws `FL_TOO_FEW_SHARES` when a dealer's shares are inconsistent, `FL_OUT_OF_RANGE` when the weights are impossible. */
  async finish(curves: Curves, state: Extract<CoordinatorState, { phase: 'completed' }>): Promise<Aggregate> {
    const masks = rebuildMasks(curves, state)
    for (let i = 0; i < masks.length; i += MASKS_AT_ONCE) {
      this.#sum.unmask(masks.slice(i, i + MASKS_AT_ONCE))
      await breathe()
    }
    return this.#sum.decode(state.survivors.length)
  }
}
