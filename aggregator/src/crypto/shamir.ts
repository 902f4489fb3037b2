import { wipe } from '../core/bytes.ts'
import type { Entropy } from '../core/entropy.ts'
import { FedweaveError } from '../core/errors.ts'
import { addMultiple, divide, multiply } from './gf256.ts'

/**
 * Shamir's secret sharing (CACM 1979) byte by byte over GF(2^8): byte i of the secret is the constant term of a
 * polynomial of degree `threshold - 1`, and share x holds its value at x. Coefficients are uniform, zero included at
 * the top: leaving it out would rule out one secret for whoever holds `threshold - 1` shares.
 */

/** Points of the field other than zero, where the secret is. */
export const MAX_SHARES = 255

export interface Share {
  /** 1 to 255. */
  readonly x: number
  readonly bytes: Uint8Array
}

/**
 * `shares` shares of `secret`, each as long as it; share i belongs to x = i + 1, and any `threshold` of them rebuild
 * the secret. Draws `(threshold - 1) * secret.length` bytes. Throws `FL_OUT_OF_RANGE` unless
 * 1 <= `threshold` <= `shares` <= 255.
 *
 * Time and memory accesses depend on the lengths and the two counts, not on the secret or its shares.
 */
export function splitSecret(secret: Uint8Array, shares: number, threshold: number, entropy: Entropy): Uint8Array[] {
  if (!Number.isInteger(shares) || !Number.isInteger(threshold) || threshold < 1 || threshold > shares || shares > MAX_SHARES) {
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `expected 1 <= threshold <= shares <= ${MAX_SHARES}, got threshold ${threshold} of ${shares} shares`,
    )
  }
  const drawn = entropy.bytes((threshold - 1) * secret.length)
  const rows = Array.from({ length: threshold - 1 }, (_, j) => drawn.subarray(j * secret.length, (j + 1) * secret.length))
  const out = Array.from({ length: shares }, () => new Uint8Array(secret.length))
  for (let at = 0; at < secret.length; at += LANES) {
    const polynomial = [secret, ...rows].map((row) => toPlanes(row.subarray(at, at + LANES)))
    for (const [i, share] of out.entries()) {
      const value = evaluate(polynomial, i + 1)
      fromPlanes(value, share.subarray(at, at + LANES))
      wipe(value)
    }
    wipe(...polynomial)
  }
  wipe(drawn)
  return out
}

/**
 * The factors by which shares at the points `xs` add up to the secret, in their order (Lagrange interpolation at zero).
 * They depend on the points alone, so a server computes them once for each set of holders. Throws `FL_OUT_OF_RANGE`
 * unless there is a point and all are different integers from 1 to 255.
 */
export function lagrangeAtZero(xs: readonly number[]): Uint8Array {
  if (xs.length === 0 || xs.some((x) => !Number.isInteger(x) || x < 1 || x > MAX_SHARES) || new Set(xs).size !== xs.length) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `expected different points from 1 to ${MAX_SHARES}, got [${xs.join(', ')}]`)
  }
  return Uint8Array.from(xs, (x) => {
    let factor = 1
    for (const other of xs) if (other !== x) factor = multiply(factor, divide(other, other ^ x))
    return factor
  })
}

/**
 * Rebuilds the secret from at least `threshold` shares: from fewer, or from a wrong one, the result is some other
 * bytes, so check it against what is public about the secret. `coefficients` is `lagrangeAtZero` of the shares'
 * points, if it is at hand. Throws `FL_OUT_OF_RANGE` for points or lengths that do not fit.
 *
 * Not constant time: it runs where the secret is revealed anyway, thousands of times a round, and look-ups are faster.
 */
export function combineShares(
  shares: readonly Share[],
  coefficients: Uint8Array = lagrangeAtZero(shares.map(({ x }) => x)),
): Uint8Array {
  const length = shares[0]?.bytes.length ?? 0
  if (coefficients.length !== shares.length || shares.some(({ bytes }) => bytes.length !== length)) {
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `expected ${coefficients.length} shares of one length, got the lengths [${shares.map(({ bytes }) => bytes.length).join(', ')}]`,
    )
  }
  const secret = new Uint8Array(length)
  for (const [i, { bytes }] of shares.entries()) addMultiple(secret, coefficients[i] as number, bytes)
  return secret
}

/** Bytes that are worked on side by side: bit i of plane b is bit b of byte i. XOR is then the only operation on secrets. */
const LANES = 32
const PLANES = 8

/** Horner's rule, at the public point `x`. */
function evaluate(polynomial: readonly Uint32Array[], x: number): Uint32Array {
  const terms = multiplicationTerms(x)
  let value = new Uint32Array(PLANES)
  let product = new Uint32Array(PLANES)
  for (let j = polynomial.length - 1; j >= 0; j--) {
    product.set(polynomial[j] as Uint32Array)
    for (let i = 0; i < terms.length; i += 2) {
      const to = terms[i] as number
      product[to] = (product[to] as number) ^ (value[terms[i + 1] as number] as number)
    }
    const spare = value
    value = product
    product = spare
  }
  wipe(product)
  return value
}

/** Multiplication by `x` is linear: the pairs (to, from) of planes where bit `from` of a factor goes into bit `to`. */
function multiplicationTerms(x: number): Uint8Array {
  const terms: number[] = []
  for (let from = 0; from < PLANES; from++) {
    const column = multiply(x, 1 << from)
    for (let to = 0; to < PLANES; to++) if ((column >> to) & 1) terms.push(to, from)
  }
  return Uint8Array.from(terms)
}

function toPlanes(bytes: Uint8Array): Uint32Array {
  const planes = new Uint32Array(PLANES)
  for (let i = 0; i < bytes.length; i++) {
    for (let b = 0; b < PLANES; b++) planes[b] = (planes[b] as number) | ((((bytes[i] as number) >> b) & 1) << i)
  }
  return planes
}

function fromPlanes(planes: Uint32Array, into: Uint8Array): void {
  for (let i = 0; i < into.length; i++) {
    let byte = 0
    for (let b = 0; b < PLANES; b++) byte |= (((planes[b] as number) >>> i) & 1) << b
    into[i] = byte
  }
}
