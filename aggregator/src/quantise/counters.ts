import { FedweaveError } from '../core/errors.ts'

/** What one client reports of its round. */
export interface ClientCounters {
  /** Integer from 1 to the largest total weight; 1 unless the task weighs clients. */
  readonly weight: number
  /** Mean training loss; counted as at most 64, and at least 0. */
  readonly loss: number
  /** From 0 to 1. */
  readonly accuracy: number
  /** Whether the delta was clipped. */
  readonly clipped: boolean
}

/** What the sum over a round's clients says. */
export interface RoundCounters {
  readonly weight: number
  /** Weighted mean. */
  readonly loss: number
  /** Weighted mean. */
  readonly accuracy: number
  /** Share of the clients, unweighted, whose delta was clipped. */
  readonly clippedFraction: number
}

const LARGEST_WORD = 2 ** 32 - 1
const LARGEST_LOSS = 64

/**
 * The counters segment of an update: four unsigned words, summed under masks in Z_2^32. In order: weight, weight times
 * loss, weight times accuracy, 1 if clipped.
 *
 * Loss and accuracy are in fixed point, as fine as is possible without a sum that wraps: with the total weight W, a loss
 * is a whole number of 1 / floor((2^32 - 1) / 64 W), an accuracy of 1 / floor((2^32 - 1) / W). For W = 100 these are
 * 1.5e-6 and 2.3e-8, for W = 10,000 they are 1.5e-4 and 2.3e-6. A mean is off by at most half of that.
 */
export class Counters {
  static readonly words = 4

  readonly #totalWeight: number
  /** Steps in a loss of 1. */
  readonly #lossScale: number
  /** Steps in an accuracy of 1. */
  readonly #accuracyScale: number

  /**
   * `totalWeight`: largest sum of weights in a round. Throws `FL_CONFIG_INVALID` unless it is an integer from 1 to
   * 67,108,863, above which a loss would have less than one step.
   */
  constructor(totalWeight: number) {
    const most = Math.floor(LARGEST_WORD / LARGEST_LOSS)
    if (!Number.isInteger(totalWeight) || totalWeight < 1 || totalWeight > most) {
      throw new FedweaveError('FL_CONFIG_INVALID', `totalWeight must be an integer from 1 to ${most}, got ${totalWeight}`)
    }
    this.#totalWeight = totalWeight
    this.#lossScale = Math.floor(LARGEST_WORD / (LARGEST_LOSS * totalWeight))
    this.#accuracyScale = Math.floor(LARGEST_WORD / totalWeight)
  }

  /** Throws `FL_NON_FINITE` for a loss that is not finite, `FL_OUT_OF_RANGE` for a weight or an accuracy outside its range. */
  encode({ weight, loss, accuracy, clipped }: ClientCounters): Uint32Array<ArrayBuffer> {
    if (!Number.isInteger(weight) || weight < 1 || weight > this.#totalWeight) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `a weight is an integer from 1 to ${this.#totalWeight}, got ${weight}`)
    }
    if (!Number.isFinite(loss)) throw new FedweaveError('FL_NON_FINITE', `the loss is ${loss}`)
    if (!(accuracy >= 0 && accuracy <= 1)) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `an accuracy is from 0 to 1, got ${accuracy}`)
    }
    const bounded = Math.min(Math.max(loss, 0), LARGEST_LOSS)
    return Uint32Array.of(
      weight,
      weight * Math.round(bounded * this.#lossScale),
      weight * Math.round(accuracy * this.#accuracyScale),
      clipped ? 1 : 0,
    )
  }

  /** `sum` over `clients` encodings. Throws `FL_OUT_OF_RANGE` for a sum that no such encodings have: somebody sent others. */
  decode(sum: Uint32Array, clients: number): RoundCounters {
    const [weight = 0, loss = 0, accuracy = 0, clipped = 0] = sum
    const possible =
      sum.length === Counters.words &&
      clients >= 1 &&
      weight >= clients &&
      weight <= this.#totalWeight &&
      loss <= weight * LARGEST_LOSS * this.#lossScale &&
      accuracy <= weight * this.#accuracyScale &&
      clipped <= clients
    if (!possible) {
      throw new FedweaveError(
        'FL_OUT_OF_RANGE',
        `counters [${sum.join(', ')}] cannot come from ${clients} clients of a total weight up to ${this.#totalWeight}`,
      )
    }
    return {
      weight,
      loss: loss / this.#lossScale / weight,
      accuracy: accuracy / this.#accuracyScale / weight,
      clippedFraction: clipped / clients,
    }
  }
}
