import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Divisible } from '../../../simulations/src/partition/divisible.ts'
import { type PartitionSpec, partition } from '../../../simulations/src/partition/spec.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })

/** 200 to 600 examples of 2 to 10 classes, each class with 20 at least. */
const data: fc.Arbitrary<Divisible> = fc
  .record({ classes: fc.integer({ min: 2, max: 10 }), more: seeds })
  .map(({ classes, more }) => {
    const labels = Int32Array.from({ length: 200 + (more % 400) }, (_, i) =>
      i < 20 * classes ? i % classes : (i * more) % classes,
    )
    return { labels, classes, ids: labels.map((_, i) => (i < 12 ? i : (i * 7 + more) % 12)) }
  })
const clients = fc.integer({ min: 1, max: 8 })

const COMPLETE: readonly [string, fc.Arbitrary<PartitionSpec>][] = [
  ['iid', fc.constant({ name: 'iid' })],
  [
    'dirichlet',
    fc
      .record({ alpha: fc.constantFrom(0.5, 1, 5, 100), balanced: fc.boolean() })
      .map(({ alpha, balanced }) => ({ name: 'dirichlet', alpha, 'min-size': 1, 'self-balancing': balanced })),
  ],
  ['shard', fc.integer({ min: 1, max: 4 }).map((shards) => ({ name: 'shard', shards }))],
  ['linear', fc.constant({ name: 'linear' })],
  ['square', fc.constant({ name: 'square' })],
]

function rowsOf(spec: PartitionSpec, of: Divisible, count: number, seed: number): number[][] {
  const dealt = partition(spec, of, count, seed)
  return Array.from({ length: dealt.clients }, (_, client) => [...dealt.rowsOf(client)])
}

function expectEveryRowOnce(parts: readonly (readonly number[])[], of: Divisible): void {
  expect(parts.flat().sort((a, b) => a - b)).toEqual([...of.labels.keys()])
}

describe.each(COMPLETE)('%s', (_name, specs) => {
  test('deals every example exactly once, nobody goes without, and the same seed deals alike', () => {
    fc.assert(
      fc.property(specs, data, clients, seeds, (spec, of, count, seed) => {
        const parts = rowsOf(spec, of, count, seed)
        expect(parts).toHaveLength(count)
        expect(parts.every(({ length }) => length > 0)).toBe(true)
        expectEveryRowOnce(parts, of)
        expect(rowsOf(spec, of, count, seed)).toEqual(parts)
      }),
      { numRuns: 60 },
    )
  })
})

test('pathological deals every example once, and each client has exactly so many classes', () => {
  fc.assert(
    fc.property(data, fc.integer({ min: 10, max: 15 }), fc.integer({ min: 1, max: 2 }), seeds, (of, count, classes, seed) => {
      const parts = rowsOf({ name: 'pathological', classes }, of, count, seed)
      expectEveryRowOnce(parts, of)
      for (const rows of parts) expect(new Set(rows.map((row) => of.labels[row])).size).toBe(classes)
    }),
  )
})

test('exponential gives each client e times what the one before has', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const of = { labels: new Int32Array(10_000), classes: 1 }
      const parts = rowsOf({ name: 'exponential' }, of, 5, seed)
      expectEveryRowOnce(parts, of)
      for (let i = 1; i < 5; i++) {
        expect((parts[i]?.length ?? 0) / (parts[i - 1]?.length ?? 0)).toBeCloseTo(Math.E, 1)
      }
    }),
    { numRuns: 10 },
  )
})

test('natural clients have exactly their own rows, alone or in whole groups', () => {
  fc.assert(
    fc.property(data, fc.integer({ min: 1, max: 5 }), seeds, (of, size, seed) => {
      const ids = of.ids as Int32Array
      const parts = rowsOf({ name: 'natural' }, of, 12, seed)
      expectEveryRowOnce(parts, of)
      for (const [client, rows] of parts.entries()) expect(rows.every((row) => ids[row] === client)).toBe(true)
      const groups = rowsOf({ name: 'grouped', size }, of, Math.ceil(12 / size), seed)
      expectEveryRowOnce(groups, of)
      const owners = groups.map((rows) => [...new Set(rows.map((row) => ids[row]))])
      expect(owners.flat().sort((a, b) => (a as number) - (b as number))).toEqual([...Array(12).keys()])
      expect(Math.max(...owners.map(({ length }) => length))).toBe(size)
    }),
    { numRuns: 40 },
  )
})

test('shards of one size hold one class each where the size divides the classes, and what is left over is dealt only if asked', () => {
  const labels = Int32Array.from({ length: 105 }, (_, i) => (i < 50 ? 0 : 1))
  const of = { labels, classes: 2 }
  fc.assert(
    fc.property(seeds, (seed) => {
      const parts = rowsOf({ name: 'shard', shards: 2, size: 10 }, of, 5, seed)
      expect(parts.map(({ length }) => length)).toEqual([20, 20, 20, 20, 20])
      const whole = rowsOf({ name: 'shard', shards: 11, size: 10, 'keep-incomplete': true }, of, 1, seed)
      expectEveryRowOnce(whole, of)
    }),
    { numRuns: 20 },
  )
})

test('the smaller alpha is, the further clients are from the common shares of classes', () => {
  const labels = Int32Array.from({ length: 6000 }, (_, i) => i % 10)
  const skew = (alpha: number) => {
    const dealt = partition({ name: 'dirichlet', alpha, 'min-size': 1 }, { labels, classes: 10 }, 10, 7)
    let distance = 0
    for (let client = 0; client < 10; client++) {
      const counts = dealt.labelCounts(client, labels, 10)
      for (const count of counts) distance += Math.abs(count / dealt.sizeOf(client) - 0.1)
    }
    return distance
  }
  const skews = [0.1, 1, 10, 1000].map(skew)
  expect([...skews].sort((a, b) => b - a)).toEqual(skews)
  expect(skews.at(-1)).toBeLessThan(1)
})
