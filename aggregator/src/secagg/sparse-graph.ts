import { FedweaveError } from '../core/errors.ts'
import { MAX_SHARES } from '../crypto/shamir.ts'
import { MAX_COHORT } from '../wire/records.ts'
import { upperTail } from './hypergeometric.ts'
import { log2Isolation, log2Sum } from './isolation.ts'

/** Up to so many clients everybody is everybody's neighbour; above, each chooses some. */
export const LARGEST_COMPLETE_GRAPH = 200

/** A round leaks more than its sum with a probability of at most 2^-40, halved between the two ways to get there. */
const LOG2_LEAK = -41
/** A round cannot be unmasked, though no more clients vanish than agreed, with a probability of at most 2^-20. */
const FAILURE = 2 ** -20
/** However little the bounds ask for, so many others hold a client's shares. */
const FEWEST_HOLDERS = 10

/** A graph in which each client chooses its share-holders, and masks lie on both directions of each choice. */
export interface SparseGraph {
  readonly clients: number
  /** Most clients that may be corrupt and collude with the server. */
  readonly corrupt: number
  /** Most clients that may vanish before they give their shares. */
  readonly dropped: number
  /** Share-holders that each client chooses. It holds a share of its own secrets, too: `k + 1` shares. */
  readonly k: number
  /** Shares that rebuild a secret. */
  readonly t: number
  /** Most corrupt clients among one client's k. */
  readonly corruptHolders: number
  /** log2 of the probability that more than the sum leaks, in either way. */
  readonly log2Privacy: number
  /** log2 of the probability that some client has fewer than t holders left. `-Infinity`: impossible. */
  readonly log2Correctness: number
  /** log2 of the part of `log2Privacy` that is due to clients cut off from the others. `-Infinity`: impossible. */
  readonly log2Isolation: number
}

export interface SparseGraphOptions {
  /** 0 to 1; absent: 0.1. At least one client counts as corrupt. */
  readonly corruptFraction?: number | undefined
  /** 0 to 1; absent: 0.1. */
  readonly dropoutFraction?: number | undefined
}

const known = new Map<string, SparseGraph>()

/**
 * The smallest sparse graph for a roster of 11 to 10,000 clients: every client computes it for itself, and nobody can
 * lower it. Throws `FL_OUT_OF_RANGE` when it would take more than 255 shares, naming the nearest fractions for which
 * they are enough.
 */
export function sparseGraph(clients: number, options: SparseGraphOptions = {}): SparseGraph {
  const { corruptFraction = 0.1, dropoutFraction = 0.1 } = options
  if (!Number.isInteger(clients) || clients <= FEWEST_HOLDERS || clients > MAX_COHORT) {
    const range = `${FEWEST_HOLDERS + 1} to ${MAX_COHORT}`
    throw new FedweaveError('FL_OUT_OF_RANGE', `a sparse graph takes ${range} clients, got ${clients}`)
  }
  const { corrupt, dropped } = countsOf(clients, corruptFraction, dropoutFraction)
  const key = `${clients}/${corrupt}/${dropped}`
  const graph = known.get(key) ?? kOutGraph(clients, corrupt, dropped, MAX_SHARES - 1)
  if (graph === undefined) {
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `${clients} clients, of which ${percent(corruptFraction)} may be corrupt and ${percent(dropoutFraction)} may drop out, ` +
        `need more than ${MAX_SHARES} shares of a secret; the nearest that do not: ${nearest(clients, corrupt, dropped)}`,
    )
  }
  known.set(key, graph)
  return graph
}

/** Fractions of a roster in whole clients. Throws `FL_OUT_OF_RANGE` for one that is not from 0 to 1. */
export function countsOf(clients: number, corruptFraction: number, dropoutFraction: number) {
  for (const fraction of [corruptFraction, dropoutFraction]) {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new FedweaveError('FL_OUT_OF_RANGE', `a fraction of the clients is from 0 to 1, got ${fraction}`)
    }
  }
  return {
    corrupt: Math.max(1, Math.ceil(corruptFraction * clients - 1e-9)), // 0.07 * 300 = 21.000000000000004
    dropped: Math.floor(dropoutFraction * clients + 1e-9), // 0.29 * 300 = 86.99999999999999
  }
}

/**
 * The smallest k, with its t, for a roster of n = `clients`; `undefined` when it would exceed `mostHolders`. Each client
 * draws k of the n - 1 others, uniformly, after the roster is fixed. The server is malicious, has c = `corrupt` clients
 * on its side from the start, and picks up to d = `dropped` honest ones to vanish once it has seen the graph.
 *
 * - **Corrupt holders.** Of a client's k holders X are corrupt, hypergeometric: k draws from n - 1 with c marked.
 *   `corruptHolders` is the smallest m with n * P[X > m] <= 2^-41, a union over the clients. Then t is the smallest with
 *   2t > k + 1 + m: two disjoint sets of honest holders cannot both reach it, even with every corrupt holder in both, so
 *   a client's self mask and its pairwise masks are never rebuilt both.
 * - **Isolation.** Two groups of honest survivors without a mask between them could be summed apart. Who opens a client
 *   needs t holders that agree on who survived, hence t - m honest ones, all in the client's own group: only groups of
 *   that size count. `log2Isolation` is at most -41.
 * - **Correctness.** A client's secret needs t living holders. Of its k, Y are among d that vanish independently of the
 *   graph, k draws from n - 1 with d marked: n * P[Y > k - t] <= 2^-20. A living client's own share is left out of that.
 *
 * Two parties must find the same k and t. The tails are the same bits on every platform; logarithms, whose last digits
 * are not, decide only in `log2Isolation`, which every step of k moves by whole bits and which at the default fractions
 * lies thousands of bits below its target.
 *
 * Bell, Bonawitz, Gascón, Lepoint and Raykova, "Secure single-server aggregation with (poly)logarithmic overhead", CCS
 * 2020, section 4 on malicious servers, with exact tails in place of its asymptotic ones.
 */
export function kOutGraph(
  clients: number,
  corrupt: number,
  dropped: number,
  mostHolders: number = clients - 1,
): SparseGraph | undefined {
  if (corrupt + dropped + 2 > clients) return undefined // a sum of fewer than two honest clients hides nothing
  const others = clients - 1
  const tooManyCorrupt = (k: number, holders: number) => clients * upperTail(others, corrupt, k, holders)
  let corruptHolders = 0
  for (let k = FEWEST_HOLDERS; k <= Math.min(mostHolders, others); k++) {
    while (tooManyCorrupt(k, corruptHolders) > 2 ** LOG2_LEAK) corruptHolders++ // only grows with k
    const t = Math.floor((k + 1 + corruptHolders) / 2) + 1
    if (t > k) continue
    const tooFewAlive = clients * upperTail(others, dropped, k, k - t)
    if (tooFewAlive > FAILURE) continue
    const isolation = log2Isolation({ clients, corrupt, dropped, k, least: t - corruptHolders })
    if (isolation > LOG2_LEAK) continue
    return {
      clients,
      corrupt,
      dropped,
      k,
      t,
      corruptHolders,
      log2Privacy: log2Sum(Math.log2(tooManyCorrupt(k, corruptHolders)), isolation),
      log2Correctness: Math.log2(tooFewAlive),
      log2Isolation: isolation,
    }
  }
  return undefined
}

/** The nearest settings, fewer dropping out or fewer corrupt, that are possible; the defaults if neither alone helps. */
function nearest(clients: number, corrupt: number, dropped: number): string {
  const fits = (c: number, d: number) => kOutGraph(clients, c, d, MAX_SHARES - 1) !== undefined
  const named = (c: number, d: number) => `${percent(c / clients)} corrupt with ${percent(d / clients)} dropping out`
  const fewerDropped = largestBelow(dropped, (d) => fits(corrupt, d))
  const fewerCorrupt = largestBelow(corrupt, (c) => fits(Math.max(1, c), dropped))
  const found = [
    ...(fewerDropped === undefined ? [] : [named(corrupt, fewerDropped)]),
    ...(fewerCorrupt === undefined ? [] : [named(fewerCorrupt, dropped)]),
  ]
  if (found.length > 0) return found.join(', or ')
  const defaults = countsOf(clients, 0.1, 0.1)
  return named(defaults.corrupt, defaults.dropped)
}

/** The largest integer from 0 to below `end` that fits, when all below it do; `undefined` when none does. */
function largestBelow(end: number, fits: (value: number) => boolean): number | undefined {
  let low = -1
  let high = end
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return low < 0 ? undefined : low
}

/** Rounded down, so that what it names is possible. */
function percent(fraction: number): string {
  return `${Math.floor(fraction * 10_000 + 1e-6) / 100} %`
}
