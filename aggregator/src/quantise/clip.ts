import { FedweaveError } from '../core/errors.ts'

/** Far from where float32 loses precision (below 1e-38) and overflows (above 3e38). */
export const CLIP_BOUND_RANGE = 'a number from 1e-30 to 1e30'

export function isClipBound(bound: number): boolean {
  return bound >= 1e-30 && bound <= 1e30
}

/**
 * A little less than one: rounding a coordinate to float32 changes it by at most 2^-24 of itself, so a delta scaled
 * to this much of the bound stays inside after rounding, in its norm and in each coordinate.
 */
const MARGIN = 1 - 2 ** -23

/**
 * Scales `delta` in place so that its L2 norm is at most `bound`; a delta inside the bound is left as it is. Afterwards
 * no coordinate's magnitude exceeds `bound`, which a quantiser with this clip bound relies on.
 *
 * Returns the norm before clipping, and whether it was clipped. Throws `FL_NON_FINITE` naming the first coordinate that
 * is not finite (nothing is changed then), `FL_OUT_OF_RANGE` for a bound outside 1e-30 to 1e30. McMahan et al. 2018,
 * "Learning differentially private recurrent language models", flat clipping.
 */
export function clipL2InPlace(delta: Float32Array, bound: number): { readonly norm: number; readonly clipped: boolean } {
  const { norm, clipped } = clipL2(delta, bound, delta)
  return { norm, clipped }
}

/** As `clipL2InPlace`, but `vector` is the clipped delta: scaled in the memory of `into`, or `delta` itself when inside the bound. */
export function clipL2(
  delta: Float32Array,
  bound: number,
  into?: Float32Array,
): { readonly vector: Float32Array; readonly norm: number; readonly clipped: boolean } {
  if (!isClipBound(bound)) throw new FedweaveError('FL_OUT_OF_RANGE', `a clip bound is ${CLIP_BOUND_RANGE}, got ${bound}`)
  const norm = Math.sqrt(sumOfSquares(delta))
  if (!Number.isFinite(norm)) {
    const at = delta.findIndex((value) => !Number.isFinite(value))
    throw new FedweaveError('FL_NON_FINITE', `delta[${at}] is ${delta[at]}`)
  }
  if (norm <= bound) return { vector: delta, norm, clipped: false }
  const scale = (bound / norm) * MARGIN
  const vector = into ?? new Float32Array(delta.length)
  for (let i = 0; i < delta.length; i++) vector[i] = (delta[i] as number) * scale
  return { vector, norm, clipped: true }
}

/** In float64: float32 would lose small squares, and overflow from 2e19 on. */
function sumOfSquares(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2
  return sum
}
