/**
 * Elementary functions from sums, products and quotients alone, which every engine rounds alike. `Math.exp`, `Math.log`,
 * `Math.sin` and `Math.cos` differ in their last bit from engine to engine and even from version to version, and what one
 * bit changes in a gradient grows with every step.
 */

/** ln 2 in two parts: a multiple of the first by an integer below 2^11 is exact (Cody and Waite 1980). */
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const bits = new DataView(new ArrayBuffer(8))

/** e to the power of `x`, for `x` up to 0; below -708, where it is no normal number any more, 0. */
export function exp(x: number): number {
  if (x < -708) return 0
  const power = Math.round(x / Math.LN2)
  const rest = x - power * LN2_HIGH - power * LN2_LOW
  let sum = 1 // Taylor's series by Horner; |rest| is at most ln(2) / 2, so that 14 terms reach the last bit
  for (let term = 14; term > 0; term--) sum = 1 + (rest * sum) / term
  bits.setUint32(0, (power + 1023) << 20) // 2 to that power: sign and exponent of a double
  return sum * bits.getFloat64(0)
}

/** Natural logarithm of `x`, for `x` from 1. */
export function ln(x: number): number {
  if (!Number.isFinite(x)) return x
  let [power, rest] = [0, x]
  for (; rest > Math.SQRT2; power++) rest /= 2
  const z = (rest - 1) / (rest + 1) // ln((1 + z) / (1 - z)) = 2 (z + z^3/3 + z^5/5 + ...), |z| at most 0.172
  let sum = 0
  for (let odd = 23; odd > 0; odd -= 2) sum = sum * z * z + 1 / odd
  return power * Math.LN2 + 2 * z * sum
}

/** Sine and cosine of `angle`, in radians from -pi to pi; exact to 1e-14. */
export function sinCos(angle: number): { readonly sin: number; readonly cos: number } {
  const square = angle * angle
  let [sin, cos] = [1, 1] // Taylor's series by Horner; the first term left out is below 1e-16
  for (let term = 14; term > 0; term--) {
    sin = 1 - (square * sin) / (2 * term * (2 * term + 1))
    cos = 1 - (square * cos) / (2 * term * (2 * term - 1))
  }
  return { sin: angle * sin, cos }
}
