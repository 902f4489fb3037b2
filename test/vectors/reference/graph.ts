/** Section 6, "Sparse graph", in exact fractions where they decide. */

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n
  let product = 1n
  for (let i = 1; i <= k; i++) product = (product * BigInt(n - k + i)) / BigInt(i)
  return product
}

/** Whether n * P[X > above] <= 2^-bits, where X counts the marked among `draws` of a population of n - 1. */
function isRare(n: number, marked: number, draws: number, above: number, bits: number): boolean {
  let ways = 0n
  for (let x = above + 1; x <= Math.min(draws, marked); x++) ways += choose(marked, x) * choose(n - 1 - marked, draws - x)
  return (BigInt(n) * ways) << BigInt(bits) <= choose(n - 1, draws)
}

/** log2 of the bound on isolation; the largest term of the sum for each of its s, which their number multiplies at most. */
function log2Isolation(n: number, c: number, d: number, k: number, least: number): number {
  const log2Choose = (a: number, b: number) =>
    Array.from({ length: b }, (_, i) => Math.log2((a - i) / (i + 1))).reduce((x, y) => x + y, 0)
  const gone = Math.min(d, n - c - 2 * least)
  if (gone < 0) return Number.NEGATIVE_INFINITY
  const h = n - c - gone
  const sizes = Array.from({ length: Math.max(0, Math.floor(h / 2) - least + 1) }, (_, i) => least + i)
  const terms = sizes.map(
    (s) => log2Choose(h, s) + k * s * Math.log2((c + gone + s - 1) / (n - 1)) + k * (h - s) * Math.log2(1 - s / (n - 1)),
  )
  return log2Choose(n - c, gone) + Math.max(...terms) + Math.log2(terms.length)
}

export function kOut(
  n: number,
  c: number,
  d: number,
): { readonly k: number; readonly t: number; readonly m: number } | undefined {
  let m = 0
  for (let k = 10; k <= 254; k++) {
    while (!isRare(n, c, k, m, 41)) m++
    const t = Math.floor((k + 1 + m) / 2) + 1
    if (t <= k && isRare(n, d, k, k - t, 20) && log2Isolation(n, c, d, k, t - m) <= -41) return { k, t, m }
  }
  return undefined
}
