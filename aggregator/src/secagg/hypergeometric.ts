/**
 * P[X > `above`], where X counts the marked among `draws` of a population, drawn without replacement.
 *
 * Weights are relative to the most likely count and follow from each other by the ratio of neighbours in the
 * distribution, so nothing overflows and no logarithm or gamma function is involved: every step is an IEEE division or
 * multiplication, and all platforms get the same bits. Relative error about `draws` * 2^-53.
 */
export function upperTail(population: number, marked: number, draws: number, above: number): number {
  const least = Math.max(0, draws - (population - marked))
  const most = Math.min(draws, marked)
  if (above >= most) return 0
  if (above < least) return 1
  const ratio = (count: number) =>
    ((marked - count) * (draws - count)) / ((count + 1) * (population - marked - draws + count + 1))

  const mode = Math.floor(((draws + 1) * (marked + 1)) / (population + 2))
  let total = 0
  let tail = 0
  let weight = 1
  for (let count = mode; count <= most; count++) {
    total += weight
    if (count > above) tail += weight
    weight *= ratio(count)
  }
  weight = 1
  for (let count = mode - 1; count >= least; count--) {
    weight /= ratio(count)
    total += weight
    if (count > above) tail += weight
  }
  return tail / total
}
