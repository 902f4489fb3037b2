import { describe, expect, test } from 'vitest'
import { upperTail } from '../../../aggregator/src/secagg/hypergeometric.ts'
import { countsOf, kOutGraph, type SparseGraph, sparseGraph } from '../../../aggregator/src/secagg/sparse-graph.ts'
import reference from '../../fixtures/k-out-graphs.json' with { type: 'json' }

/** P[X > above] as [favourable, all] of the draws: exact. */
function exactTail(population: number, marked: number, draws: number, above: number): [bigint, bigint] {
  let favourable = 0n
  for (let count = above + 1; count <= Math.min(draws, marked); count++) {
    favourable += binomial(marked, count) * binomial(population - marked, draws - count)
  }
  return [favourable, binomial(population, draws)]
}

function binomial(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n
  let value = 1n
  for (let i = 1; i <= k; i++) value = (value * BigInt(n - k + i)) / BigInt(i)
  return value
}

/** Whether clients * P <= 2^-bits, without rounding. */
function atMost(clients: number, [favourable, all]: [bigint, bigint], bits: number): boolean {
  return BigInt(clients) * favourable * 2n ** BigInt(bits) <= all
}

/** The fewest corrupt holders that only 2^-41 of all rounds exceed, and the t that follows. */
function exactThreshold({ clients, corrupt }: SparseGraph, k: number): { corruptHolders: number; t: number } {
  let corruptHolders = 0
  while (!atMost(clients, exactTail(clients - 1, corrupt, k, corruptHolders), 41)) corruptHolders++
  let t = 1
  while (!(2 * t > k + 1 + corruptHolders)) t++
  return { corruptHolders, t }
}

function exactlyCorrect({ clients, dropped }: SparseGraph, k: number, t: number): boolean {
  return t <= k && atMost(clients, exactTail(clients - 1, dropped, k, k - t), 20)
}

describe('the tail of the hypergeometric distribution', () => {
  test.each([
    [9, 3, 4, 1],
    [29, 6, 14, 5],
    [199, 40, 76, 36],
    [999, 100, 97, 37],
    [999, 100, 97, 2],
    [9999, 1000, 122, 46],
    [9999, 3300, 310, 172],
  ])('is the exact one: %i clients, %i marked, %i drawn, more than %i', (population, marked, draws, above) => {
    const [favourable, all] = exactTail(population, marked, draws, above)
    const exact = Number((favourable * 2n ** 160n) / all) * 2 ** -160
    expect(Math.abs(upperTail(population, marked, draws, above) / exact - 1)).toBeLessThan(1e-12)
  })

  test('is 0 above what can be drawn, and 1 below what must be', () => {
    expect(upperTail(9, 3, 4, 3)).toBe(0)
    expect(upperTail(9, 8, 4, 2)).toBe(1)
    expect(upperTail(9, 0, 4, 0)).toBe(0)
  })
})

describe('k and t', () => {
  test.each(reference)('agree with the reference for $clients clients, $corrupt corrupt, $dropped dropped', (row) => {
    const { log2Isolation, ...expected } = row
    const graph = kOutGraph(row.clients, row.corrupt, row.dropped)
    expect(graph).toMatchObject(expected)
    // The reference gives one decimal. It leaves the equal halves of the smallest roster out, and is 0.2 lower once.
    expect(Math.abs((graph?.log2Isolation ?? 0) - log2Isolation)).toBeLessThan(0.35)
  })

  test.each([
    [30, 6, 3],
    [200, 20, 20],
    [500, 25, 25],
    [600, 60, 60],
  ])('are the smallest by exact fractions: %i clients, %i corrupt, %i dropped', (...counts) => {
    const graph = kOutGraph(...counts) as SparseGraph
    const { corruptHolders, k, t, log2Privacy, log2Correctness } = graph
    expect({ corruptHolders, t }).toEqual(exactThreshold(graph, k))
    expect(exactlyCorrect(graph, k, t)).toBe(true)
    expect([log2Privacy <= -40, log2Correctness <= -20]).toEqual([true, true])
    for (let fewer = 10; fewer < k; fewer++) {
      expect(exactlyCorrect(graph, fewer, exactThreshold(graph, fewer).t)).toBe(false)
    }
  })

  test('default to 10 % corrupt and 10 % dropped', () => {
    expect(sparseGraph(1000)).toEqual(kOutGraph(1000, 100, 100))
    expect(sparseGraph(1000)).toMatchObject({ k: 97, t: 68 })
  })

  test('count whole clients: corrupt ones rounded up and at least one, dropped ones rounded down', () => {
    expect(countsOf(300, 0.07, 0.29)).toEqual({ corrupt: 21, dropped: 87 }) // the products are 21.000000000000004 and 86.99999999999999
    expect(countsOf(205, 0.1, 0.1)).toEqual({ corrupt: 21, dropped: 20 })
    expect(countsOf(300, 0, 0)).toEqual({ corrupt: 1, dropped: 0 })
  })

  test('never fall below 10 holders', () => {
    expect(kOutGraph(300, 1, 0)?.k).toBe(10)
  })

  test('do not exist where no two honest clients stay', () => {
    expect(kOutGraph(12, 6, 5)).toBeUndefined()
  })
})

describe('isolation', () => {
  test('is the bound summed over the groups, by hand for 14 clients', () => {
    const graph = kOutGraph(14, 1, 1) as SparseGraph
    // k = 10, t = 7, and t - 1 = 6 clients to a group: 12 honest ones stay, in two groups of six
    expect(graph).toMatchObject({ k: 10, t: 7, corruptHolders: 1 })
    const probability = 13 * 924 * (7 / 13) ** 60 * (1 - 6 / 13) ** 60
    expect(graph.log2Isolation).toBeCloseTo(Math.log2(probability), 9)
  })

  test('is impossible where two groups have no room', () => {
    expect(kOutGraph(11, 1, 0)?.log2Isolation).toBe(Number.NEGATIVE_INFINITY)
  })

  test('lies thousands of bits below its target at the defaults, where no last digit of a logarithm decides', () => {
    for (let clients = 201; clients <= 10_000; clients += 97) {
      expect(sparseGraph(clients).log2Isolation).toBeLessThan(-2000)
    }
  })

  test('takes more holders where it is what is missing', () => {
    const graph = kOutGraph(10_000, 1, 500) as SparseGraph
    expect(graph).toMatchObject({ k: 33, t: 18 })
    expect(exactlyCorrect(graph, 31, exactThreshold(graph, 31).t)).toBe(true) // refused for its isolation alone
    expect(graph.log2Isolation).toBeLessThanOrEqual(-41)
  })
})

describe('what cannot be had', () => {
  const refused = (clients: number, corruptFraction: number, dropoutFraction: number): string => {
    try {
      sparseGraph(clients, { corruptFraction, dropoutFraction })
    } catch (error) {
      expect(error).toMatchObject({ code: 'FL_OUT_OF_RANGE' })
      return (error as Error).message
    }
    throw new Error('not refused')
  }

  test('is refused with the nearest settings that need no more than 255 shares, and those are taken', () => {
    expect(kOutGraph(1000, 200, 200)?.k).toBe(305)
    expect(refused(1000, 0.2, 0.2)).toBe(
      '1000 clients, of which 20 % may be corrupt and 20 % may drop out, need more than 255 shares of a secret; ' +
        'the nearest that do not: 20 % corrupt with 17.6 % dropping out, or 15.6 % corrupt with 20 % dropping out',
    )
    expect(sparseGraph(1000, { corruptFraction: 0.2, dropoutFraction: 0.176 }).k).toBeLessThanOrEqual(254)
    expect(sparseGraph(1000, { corruptFraction: 0.156, dropoutFraction: 0.2 }).k).toBeLessThanOrEqual(254)
    expect(kOutGraph(1000, 200, 177, 254)).toBeUndefined()
    expect(kOutGraph(1000, 157, 200, 254)).toBeUndefined()
  })

  test('is refused with the defaults where neither fewer corrupt nor fewer dropped clients would do', () => {
    expect(refused(1000, 0.9, 0.9)).toMatch(/the nearest that do not: 10 % corrupt with 10 % dropping out$/)
    expect(refused(1000, 1, 1)).toMatch(/the nearest that do not: 10 % corrupt with 10 % dropping out$/)
  })

  test.each([10, 10_001, 300.5, Number.NaN])('a roster of %d clients is refused', (clients) => {
    expect(refused(clients, 0.1, 0.1)).toBe(`a sparse graph takes 11 to 10000 clients, got ${clients}`)
  })

  test.each([
    [-0.1, 0.1],
    [0.1, 1.1],
    [Number.NaN, 0.1],
  ])('the fractions %d and %d are refused', (corruptFraction, dropoutFraction) => {
    expect(refused(300, corruptFraction, dropoutFraction)).toMatch(/is from 0 to 1, got/)
  })
})
