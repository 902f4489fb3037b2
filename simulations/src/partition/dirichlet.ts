import { Random } from '@fedweave/client/training'
import { cut, gather, rowsByClass } from './deal.ts'
import { type Divisible, impossible } from './divisible.ts'
import { Partition } from './partition.ts'

/** Draws before a partition with that least size is given up. */
const MOST_DRAWS = 100

/**
 * Deals each class in proportions drawn from Dirichlet(alpha, ..., alpha) (Hsu, Qi, Brown 2019). `self-balancing`: a client that
 * has its even share of all examples gets none of the classes that follow (Yurochkin et al. 2019). Drawn again until every
 * client has `min-size` examples.
 */
export function dirichlet(data: Divisible, clients: number, seed: number, values: Readonly<Record<string, number>>): Partition {
  const { alpha, 'min-size': least } = values as { alpha: number; 'min-size': number }
  const examples = data.labels.length
  if (clients * least > examples)
    throw impossible(`${clients} clients with ${least} examples each need more than the ${examples} there are`)
  const byClass = rowsByClass(data, seed)
  const random = new Random(seed)
  let smallest = 0
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const sizes = new Array<number>(clients).fill(0)
    const parts = byClass.map((rows) => {
      const drawn = proportions(alpha, clients, random)
      const open = drawn.map((share, i) =>
        values['self-balancing'] === 1 && (sizes[i] as number) >= examples / clients ? 0 : share,
      )
      const total = open.reduce((sum, share) => sum + share, 0)
      const dealt = cutOpen(rows, total > 0 ? open.map((share) => share / total) : drawn)
      for (const [i, { length }] of dealt.entries()) sizes[i] = (sizes[i] as number) + length
      return dealt
    })
    if (Math.min(...sizes) >= least) return new Partition(gather(parts, clients))
    smallest = Math.max(smallest, Math.min(...sizes))
  }
  throw impossible(
    `in ${MOST_DRAWS} draws with alpha ${alpha} some of ${clients} clients had fewer than ${least} examples (at best ${smallest}): ` +
      'take a larger alpha, a smaller min-size, or fewer clients',
  )
}

/** As `cut`, but what rounding leaves over goes to the last client whose share is not zero. */
function cutOpen(rows: Uint32Array, shares: readonly number[]): Uint32Array[] {
  const last = shares.findLastIndex((share) => share > 0)
  const dealt = cut(rows, shares.slice(0, last + 1))
  return shares.map((_, i) => dealt[i] ?? new Uint32Array())
}

/** One draw from the symmetric Dirichlet distribution: Gamma(alpha) numbers over their sum. */
function proportions(alpha: number, count: number, random: Random): number[] {
  const logs = Array.from({ length: count }, () => logGamma(alpha, random))
  const largest = Math.max(...logs) // numbers of a small alpha underflow, their ratios do not
  const drawn = logs.map((log) => Math.exp(log - largest))
  const total = drawn.reduce((sum, value) => sum + value, 0)
  return drawn.map((value) => value / total)
}

/** The logarithm of a Gamma(alpha, 1) number: Marsaglia and Tsang 2000, with their boost for alpha below 1. */
function logGamma(alpha: number, random: Random): number {
  if (alpha < 1) return logGamma(alpha + 1, random) + Math.log(unit(random)) / alpha
  const d = alpha - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(unit(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d) + Math.log(v)
  }
}

/** Box and Muller 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(unit(random))) * Math.cos(2 * Math.PI * unit(random))
}

/** Uniform over (0, 1]. */
function unit(random: Random): number {
  return (random.uint32() + 1) / 2 ** 32
}
