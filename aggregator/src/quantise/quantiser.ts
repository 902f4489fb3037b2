import { FedweaveError } from '../core/errors.ts'
import type { Accumulator } from '../crypto/prg.ts'
import { CLIP_BOUND_RANGE, isClipBound } from './clip.ts'
import { Ring } from './ring.ts'

export interface QuantiserOptions {
  /** Largest magnitude of a coordinate: a delta clipped to this L2 norm has none above it. */
  readonly clipBound: number
  /** Bits of one client's value, sign included: 2 to 24. */
  readonly valueBits: number
  /** Largest sum of weights in a round. */
  readonly totalWeight: number
  /** Bits of the ring; absent: the fewest that hold the sum. */
  readonly ringBits?: number
}

/**
 * Between real deltas and the ring in which they are summed. A quantum is `clipBound / (2^(valueBits - 1) - 1)`; each
 * coordinate is rounded at random to one of the two quanta around it, so that its mean is the coordinate (to within
 * 2^-32 of a quantum), and multiplied by the client's integer weight.
 *
 * A sum cannot wrap: the constructor demands `totalWeight * (2^(valueBits - 1) - 1) <= 2^(ringBits - 1) - 1`, and values
 * are clamped to `2^(valueBits - 1) - 1` quanta after rounding.
 *
 * Error of coordinates inside the clip bound: each client's is less than one quantum, and so is that of the weighted
 * mean, |decode(sum) - mean| < `step`, plus the rounding of the result to float32 (relative 2^-24).
 */
export class Quantiser {
  readonly ring: Ring
  /** Value of one quantum. */
  readonly step: number
  readonly #totalWeight: number
  readonly #levels: number

  /** Throws `FL_CONFIG_INVALID` for options out of range, or when the ring cannot hold the largest sum. */
  constructor({ clipBound, valueBits, totalWeight, ringBits }: QuantiserOptions) {
    if (!isClipBound(clipBound)) {
      throw new FedweaveError('FL_CONFIG_INVALID', `clipBound must be ${CLIP_BOUND_RANGE}, got ${clipBound}`)
    }
    const fewest = Quantiser.ringBits(valueBits, totalWeight)
    const levels = levelsOf(valueBits)
    if (ringBits !== undefined && ringBits < fewest) {
      throw new FedweaveError(
        'FL_CONFIG_INVALID',
        `ringBits ${ringBits} holds sums up to ${2 ** (ringBits - 1) - 1}, but a total weight of ${totalWeight} times values ` +
          `of ${valueBits} bits reaches ${totalWeight * levels}: take at least ${fewest} bits`,
      )
    }
    this.ring = new Ring(ringBits ?? fewest)
    this.step = clipBound / levels
    this.#totalWeight = totalWeight
    this.#levels = levels
  }

  /**
   * Bits of the smallest ring, 8 to 32, that holds values of `valueBits` bits under weights that add up to
   * `totalWeight`. Throws `FL_CONFIG_INVALID` when 32 are too few.
   */
  static ringBits(valueBits: number, totalWeight: number): number {
    if (!Number.isInteger(valueBits) || valueBits < 2 || valueBits > 24) {
      throw new FedweaveError('FL_CONFIG_INVALID', `valueBits must be an integer from 2 to 24, got ${valueBits}`)
    }
    if (!Number.isSafeInteger(totalWeight) || totalWeight < 1) {
      throw new FedweaveError('FL_CONFIG_INVALID', `totalWeight must be a positive integer, got ${totalWeight}`)
    }
    const largest = totalWeight * levelsOf(valueBits)
    for (let bits = 8; bits <= 32; bits++) if (largest <= 2 ** (bits - 1) - 1) return bits
    throw new FedweaveError(
      'FL_CONFIG_INVALID',
      `a total weight of ${totalWeight} times values of ${valueBits} bits reaches ${largest}, more than any ring of up to 32 ` +
        `bits holds: at ${valueBits} bits the total weight may be ${Math.floor((2 ** 31 - 1) / levelsOf(valueBits))}`,
    )
  }

  /**
   * `weight * delta` in the ring, not yet reduced to its bits.
   *
   * `delta`: clipped; coordinates still above the clip bound are cut down to it. `weight`: a positive integer. `random`: one
   * uniform word a coordinate, from the CSPRNG, used nowhere else. `words`: where to put them, which may be `random`. Throws `FL_NON_FINITE` naming the coordinate,
   * `FL_OUT_OF_RANGE` for the weight, `FL_UPDATE_SHAPE` when `random` has another length.
   */
  encode(
    delta: Float32Array,
    weight: number,
    random: Uint32Array,
    words: Uint32Array = new Uint32Array(delta.length),
  ): Uint32Array {
    this.#checkWeight(weight)
    if (random.length !== delta.length) {
      throw new FedweaveError('FL_UPDATE_SHAPE', `expected ${delta.length} random words, got ${random.length}`)
    }
    const levels = this.#levels
    const scale = 1 / this.step
    const signed = new Int32Array(words.buffer, words.byteOffset, words.length)
    for (let i = 0; i < delta.length; i++) {
      const exact = (delta[i] as number) * scale
      if (!(Math.abs(exact) <= levels)) {
        if (!Number.isFinite(delta[i])) throw new FedweaveError('FL_NON_FINITE', `delta[${i}] is ${delta[i]}`)
        signed[i] = Math.sign(exact) * levels * weight
        continue
      }
      const below = Math.floor(exact)
      // Up with the fraction's probability. Cut off instead of compared: a branch on random words is guessed wrong half of the
      // time, and that costs more than everything else here. Integers, because they multiply without a check for overflow.
      signed[i] = Math.imul((below | 0) + ((exact - below + (random[i] as number) * 2 ** -32) | 0), weight)
    }
    return words
  }

  /** `encode` in the fastest way that `sum` has, whose words are the random ones and then the encoding. `delta`: finite, too. */
  encodeInto(sum: Accumulator, delta: Float32Array, weight: number): void {
    if (sum.encode === undefined) return void this.encode(delta, weight, sum.words, sum.words)
    this.#checkWeight(weight)
    sum.encode(delta, 1 / this.step, this.#levels, weight)
  }

  /**
   * The weighted mean of the deltas whose encodings add up to `sum` in the ring. `totalWeight`: the weights' sum, an
   * integer from 1 to the configured one, else throws `FL_OUT_OF_RANGE`.
   */
  decode(sum: Uint32Array, totalWeight: number): Float32Array<ArrayBuffer> {
    this.#checkWeight(totalWeight)
    const above = 32 - this.ring.bits
    const scale = this.step / totalWeight
    const mean = new Float32Array(sum.length)
    for (let i = 0; i < sum.length; i++) mean[i] = (((sum[i] as number) << above) >> above) * scale // as Ring.toSigned
    return mean
  }

  #checkWeight(weight: number): void {
    if (Number.isInteger(weight) && weight >= 1 && weight <= this.#totalWeight) return
    throw new FedweaveError('FL_OUT_OF_RANGE', `a weight is an integer from 1 to ${this.#totalWeight}, got ${weight}`)
  }
}

/** Quanta on each side of zero. */
function levelsOf(valueBits: number): number {
  return 2 ** (valueBits - 1) - 1
}
