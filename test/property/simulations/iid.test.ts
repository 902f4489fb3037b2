import fc from 'fast-check'
import { expect, test } from 'vitest'
import { iidShard } from '../../../simulations/src/partition/iid.ts'

const partitions = fc.integer({ min: 1, max: 2_000 }).chain((examples) =>
  fc.record({
    examples: fc.constant(examples),
    of: fc.integer({ min: 1, max: Math.min(examples, 40) }),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  }),
)

test('the shards are disjoint, cover every row, and their sizes differ by at most one', () => {
  fc.assert(
    fc.property(partitions, ({ examples, of, seed }) => {
      const shards = Array.from({ length: of }, (_, shard) => iidShard(examples, { shard, of }, seed))
      const rows = shards.flatMap((shard) => [...shard]).sort((a, b) => a - b)
      expect(rows).toEqual(Array.from({ length: examples }, (_, row) => row))
      const sizes = shards.map((shard) => shard.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})
