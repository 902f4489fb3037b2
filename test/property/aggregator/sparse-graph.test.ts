import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kOutGraph, sparseGraph } from '../../../aggregator/src/secagg/sparse-graph.ts'

const rosters = fc.integer({ min: 201, max: 10_000 }).chain((clients) =>
  fc.record({
    clients: fc.constant(clients),
    corrupt: fc.integer({ min: 1, max: Math.floor(clients / 5) }),
    dropped: fc.integer({ min: 0, max: Math.floor(clients / 5) }),
    more: fc.integer({ min: 1, max: Math.floor(clients / 10) }),
  }),
)

const holders = (clients: number, corrupt: number, dropped: number) => kOutGraph(clients, corrupt, dropped)?.k ?? clients

test('more corrupt clients, or more that vanish, never need fewer holders', () => {
  fc.assert(
    fc.property(rosters, ({ clients, corrupt, dropped, more }) => {
      const k = holders(clients, corrupt, dropped)
      expect(holders(clients, corrupt + more, dropped)).toBeGreaterThanOrEqual(k)
      expect(holders(clients, corrupt, dropped + more)).toBeGreaterThanOrEqual(k)
    }),
  )
})

test('t outvotes the corrupt holders twice and leaves the honest ones room to vanish', () => {
  fc.assert(
    fc.property(rosters, ({ clients, corrupt, dropped }) => {
      const graph = kOutGraph(clients, corrupt, dropped)
      if (graph === undefined) return
      const { k, t, corruptHolders, log2Privacy, log2Correctness } = graph
      expect(2 * t).toBeGreaterThan(k + 1 + corruptHolders)
      expect(2 * (t - 1)).toBeLessThanOrEqual(k + 1 + corruptHolders)
      expect(t).toBeLessThanOrEqual(k)
      expect(corruptHolders).toBeLessThanOrEqual(corrupt)
      expect(log2Privacy).toBeLessThanOrEqual(-40)
      expect(log2Correctness).toBeLessThanOrEqual(-20)
    }),
  )
})

test('the defaults fit into 255 shares at every size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 11, max: 10_000 }), (clients) => {
      expect(sparseGraph(clients).k).toBeLessThanOrEqual(Math.min(254, clients - 1))
    }),
  )
})
