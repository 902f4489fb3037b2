import {
  type Aggregate,
  type ClientId,
  type CoordinatorState,
  type Curves,
  FedweaveError,
  type Prg,
  type Segments,
  sealKey,
  sharedKey,
  type TaskConfig,
  type UpdateFormat,
  type UpdateSum,
} from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { OpenedUpload } from '../compute/messages.ts'
import { unmaskInPlace } from '../compute/unmask.ts'

/** The vector side of one round: opens uploads, adds them up, takes the masks off. Holds no plain update of anybody. */
export class RoundWork {
  readonly #config: TaskConfig
  readonly #size: number
  readonly #sum: UpdateSum
  readonly #pool: ComputePool
  /** Most bytes that one upload took on its socket. */
  uploadBytes = 0

  constructor(config: TaskConfig, format: UpdateFormat, prg: Prg, pool: ComputePool) {
    this.#config = config
    this.#size = format.size
    this.#sum = format.sum(prg)
    this.#pool = pool
  }

  /** Opens a sealed upload, whose ArrayBuffer is taken from the caller. Throws `FL_SEAL_BROKEN` or `FL_UPDATE_SHAPE`. */
  async open(
    curves: Curves,
    coordinatorSecret: Uint8Array,
    channelKey: Uint8Array,
    context: Uint8Array,
    from: ClientId,
    sealed: Uint8Array,
  ): Promise<OpenedUpload> {
    const shared = sharedKey(curves, coordinatorSecret, channelKey)
    if (shared === undefined) throw new FedweaveError('FL_SEAL_BROKEN', 'the channel key of this client has low order')
    return this.#pool.open({ config: this.#config, key: sealKey(shared, context, 'upload', from), sealed })
  }

  /** Counts an opened upload. */
  add(words: Segments<Uint32Array>): void {
    this.#sum.add(words)
  }

  /** Copies of the sum's words so far. */
  words(): Segments<Uint32Array> {
    return this.#sum.words()
  }

  /** Throws `FL_TOO_FEW_SHARES` when a dealer's shares are inconsistent, `FL_OUT_OF_RANGE` when the weights are impossible. */
  async finish(state: Extract<CoordinatorState, { phase: 'completed' }>): Promise<Aggregate> {
    await unmaskInPlace(this.#sum, this.#size, this.#config, state, this.#pool)
    return this.#sum.decode(state.survivors.length, state.facts.context)
  }
}
