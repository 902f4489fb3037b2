import { describe, expect, test } from 'vitest'
import { iidShard } from '../../../simulations/src/partition/iid.ts'
import { take } from '../../../simulations/src/partition/take.ts'

describe('iidShard', () => {
  test('the same seed gives the same rows, another seed others', () => {
    const rows = iidShard(1_000, { shard: 3, of: 10 }, 42)
    expect(iidShard(1_000, { shard: 3, of: 10 }, 42)).toEqual(rows)
    expect(iidShard(1_000, { shard: 3, of: 10 }, 43)).not.toEqual(rows)
    expect([...rows].sort((a, b) => a - b)).not.toEqual(Array.from({ length: 100 }, (_, i) => 300 + i))
  })

  test.each([
    [{ shard: 0, of: 0 }, 'expected 1 to 5 shards of 5 examples, got 0'],
    [{ shard: 0, of: 6 }, 'expected 1 to 5 shards of 5 examples, got 6'],
    [{ shard: 5, of: 5 }, 'expected a shard from 0 to 4, got 5'],
    [{ shard: -1, of: 5 }, 'expected a shard from 0 to 4, got -1'],
    [{ shard: 0.5, of: 5 }, 'expected a shard from 0 to 4, got 0.5'],
  ])('%j of 5 examples is refused', (part, message) => {
    expect(() => iidShard(5, part, 1)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE', message }))
  })
})

describe('take', () => {
  const dataset = { xs: Float32Array.of(0, 1, 10, 11, 20, 21), shape: [2], labels: Int32Array.of(0, 1, 2), classes: 3 }

  test('copies rows in the order asked for', () => {
    const taken = take(dataset, Int32Array.of(2, 0, 2))
    expect(taken).toEqual({ xs: Float32Array.of(20, 21, 0, 1, 20, 21), shape: [2], labels: Int32Array.of(2, 0, 2), classes: 3 })
    taken.xs[0] = 99
    expect(dataset.xs[4]).toBe(20)
  })

  test.each([3, -1])('row %i of three is refused', (row) => {
    expect(() => take(dataset, Int32Array.of(0, row))).toThrow(
      expect.objectContaining({ code: 'FL_OUT_OF_RANGE', message: `expected rows from 0 to 2, got ${row}` }),
    )
  })
})
