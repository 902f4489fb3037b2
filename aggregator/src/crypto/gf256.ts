/**
 * GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1 (0x11b, FIPS 197 section 4.2) for public numbers and for a
 * server that rebuilds secrets: table look-ups, whose timing tells a neighbour on the same processor which entries
 * were read.
 */

/** Logarithms to the generator 3. Zero has none: 511 leads every sum of two logarithms that holds it into zeros. */
const LOG = new Uint16Array(256).fill(511)
/** Powers of the generator: twice the 255 there are, so that a sum of two logarithms needs no reduction; then zeros. */
const EXP = new Uint8Array(2 * 511 + 1)

for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = value
  EXP[power + 255] = value
  LOG[value] = power
  value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0) // times 3
}

export function multiply(a: number, b: number): number {
  return EXP[(LOG[a] as number) + (LOG[b] as number)] as number
}

/** `divisor` is not zero. */
export function divide(a: number, divisor: number): number {
  return EXP[(LOG[a] as number) + 255 - (LOG[divisor] as number)] as number
}

/** Adds `factor` times `term` to `sum`, byte by byte. */
export function addMultiple(sum: Uint8Array, factor: number, term: Uint8Array): void {
  const log = LOG[factor] as number
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (EXP[log + (LOG[term[i] as number] as number)] as number)
}
