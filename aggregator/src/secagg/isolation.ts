/** What isolation in a k-out graph depends on. */
export interface IsolationOptions {
  readonly clients: number
  readonly corrupt: number
  /** Most honest clients that the server may let vanish. */
  readonly dropped: number
  /** Holders that each client chooses. */
  readonly k: number
  /** Honest clients of one group that it takes to open one of them. */
  readonly least: number
}

/**
 * log2 of a bound on the probability that, after the server has let some clients vanish as it likes, the honest survivors
 * of a k-out graph fall into two groups with no mask between them, each of at least `least` clients. `-Infinity`: too few
 * stay for two such groups.
 *
 * A union over the sets of d clients that may vanish and over the smaller groups, of s clients among the h = n - c - d
 * that stay: none of the s chose any of the h - s others, and none of those chose any of the s. Draws with replacement
 * instead of without make both likelier, and simpler:
 *
 *     C(n - c, d) * sum over s of C(h, s) * ((c + d + s - 1) / (n - 1))^(k s) * (1 - s / (n - 1))^(k (h - s))
 *
 * That covers fewer than d as well: two groups stay apart when members are taken off them, until d are gone or both are
 * as small as can be.
 */
export function log2Isolation({ clients, corrupt, dropped, k, least }: IsolationOptions): number {
  const others = clients - 1
  const honest = clients - corrupt
  const gone = Math.min(dropped, honest - 2 * least)
  if (gone < 0) return Number.NEGATIVE_INFINITY
  const staying = honest - gone
  let choices = log2Binomial(honest, gone) + log2Binomial(staying, least)
  let sum = Number.NEGATIVE_INFINITY
  for (let s = least; 2 * s <= staying; s++) {
    const out = k * s * Math.log2((corrupt + gone + s - 1) / others)
    const into = k * (staying - s) * Math.log2(1 - s / others)
    sum = log2Sum(sum, choices + out + into)
    choices += Math.log2((staying - s) / (s + 1))
  }
  return sum
}

/** log2(2^a + 2^b). */
export function log2Sum(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log2(1 + 2 ** (Math.min(a, b) - high))
}

function log2Binomial(n: number, k: number): number {
  let sum = 0
  for (let i = 1; i <= k; i++) sum += Math.log2((n - k + i) / i)
  return sum
}
