import { completeGraph, FedweaveError } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../../aggregator/src/secagg/params.ts'

/**
 * Computed apart from the code, by search: the least threshold whose double exceeds what honest clients and twice the
 * corrupt ones can give. Columns: clients, corrupt, threshold, drop-outs that unmasking bears, honest clients that an
 * unmasked sum holds at least.
 */
const ROWS = [
  [3, 1, 3, 0, 2],
  [4, 1, 3, 1, 2],
  [5, 1, 4, 1, 3],
  [6, 1, 4, 2, 3],
  [6, 2, 5, 1, 3],
  [7, 1, 5, 2, 4],
  [7, 2, 5, 2, 3],
  [8, 1, 5, 3, 4],
  [8, 2, 6, 2, 4],
  [10, 1, 6, 4, 5],
  [10, 2, 7, 3, 5],
  [10, 3, 7, 3, 4],
  [12, 1, 7, 5, 6],
  [12, 2, 8, 4, 6],
  [12, 4, 9, 3, 5],
  [15, 1, 9, 6, 8],
  [15, 3, 10, 5, 7],
  [15, 5, 11, 4, 6],
  [20, 1, 11, 9, 10],
  [20, 2, 12, 8, 10],
  [20, 4, 13, 7, 9],
  [20, 6, 14, 6, 8],
  [30, 1, 16, 14, 15],
  [30, 3, 17, 13, 14],
  [30, 6, 19, 11, 13],
  [30, 10, 21, 9, 11],
  [50, 1, 26, 24, 25],
  [50, 5, 28, 22, 23],
  [50, 10, 31, 19, 21],
  [50, 16, 34, 16, 18],
  [100, 1, 51, 49, 50],
  [100, 10, 56, 44, 46],
  [100, 20, 61, 39, 41],
  [100, 33, 67, 33, 34],
  [200, 1, 101, 99, 100],
  [200, 20, 111, 89, 91],
  [200, 40, 121, 79, 81],
  [200, 66, 134, 66, 68],
] as const

describe('the complete graph', () => {
  test.each(ROWS)('%i clients of which %i are corrupt need %i shares', (clients, corrupt, threshold, dropouts, honest) => {
    const graph = completeGraph(clients, { minimumCohort: 3, corrupt })
    expect(graph).toMatchObject({ clients, corrupt, threshold })
    expect(clients - graph.threshold).toBe(dropouts)
    expect(graph.threshold - corrupt).toBe(honest)
  })

  test('never lets two sets of answers both reach the threshold, and takes the least such threshold', () => {
    for (let clients = 3; clients <= 200; clients++) {
      for (let corrupt = 1; corrupt <= clients - 2; corrupt++) {
        const { threshold } = completeGraph(clients, { minimumCohort: 3, corrupt })
        // Two disjoint sets of honest answers, each with all the corrupt clients' besides.
        expect(2 * (threshold - corrupt)).toBeGreaterThan(clients - corrupt)
        expect(2 * (threshold - 1 - corrupt)).toBeLessThanOrEqual(clients - corrupt)
        expect(threshold).toBeLessThanOrEqual(clients)
      }
    }
  })

  test('takes a tenth of the cohort to be corrupt, and at least one client', () => {
    const corrupt = (clients: number) => completeGraph(clients, { minimumCohort: 3 }).corrupt
    expect([3, 10, 11, 20, 21, 100, 101, 200].map(corrupt)).toEqual([1, 1, 2, 2, 3, 10, 11, 20])
  })

  test('lets a fifth drop out up to 20 clients and a tenth above, and never fewer stay than the threshold', () => {
    const stay = (clients: number, options = {}) => completeGraph(clients, { minimumCohort: 3, ...options }).minimumSurvivors
    expect([3, 4, 5, 6, 10, 15, 20, 21, 30, 100].map((clients) => stay(clients))).toEqual([3, 4, 4, 5, 8, 12, 16, 19, 27, 90])
    expect(stay(10, { dropout: 0 })).toBe(10)
    expect(stay(10, { dropout: 0.5 })).toBe(6) // the threshold, not the 5 that half would leave
    expect(stay(10, { dropout: 0.5, corrupt: 8 })).toBe(10)
    expect(stay(10, { dropout: 0.3, minimumCohort: 9 })).toBe(9)
    expect(stay(100, { dropout: 0.29 })).toBe(71) // 0.29 * 100 is 28.999999999999996 in floating point
  })

  test('refuses what it cannot make safe', () => {
    const code = (clients: number, corrupt?: number) => codeOf(() => completeGraph(clients, { minimumCohort: 3, corrupt }))
    expect(code(2)).toBe('FL_TOO_FEW_CLIENTS')
    expect(code(201)).toBe('FL_OUT_OF_RANGE')
    expect(code(3, 2)).toBe('FL_OUT_OF_RANGE')
    expect(code(10, 9)).toBe('FL_OUT_OF_RANGE')
    expect(code(3, 1)).toBeUndefined()
    expect(code(10, 8)).toBeUndefined()
    expect(code(200)).toBeUndefined()
  })

  test('of a config takes what the config says', () => {
    const cohort = { minimum: 5, target: 10, overSelection: 1 }
    const secureAggregation = {
      clipBound: 1,
      valueBits: 8,
      weighting: 'uniform',
      maxWeight: 1,
      corrupt: 3,
      dropout: 0.4,
    } as const
    expect(graphOf({ cohort, secureAggregation }, 10)).toEqual(completeGraph(10, { minimumCohort: 5, corrupt: 3, dropout: 0.4 }))
    expect(graphOf({ cohort, secureAggregation }, 10)).toMatchObject({ corrupt: 3, threshold: 7, minimumSurvivors: 7 })
  })
})

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof FedweaveError ? error.code : expect.unreachable(String(error))
  }
}
