import { FedweaveError } from '@fedweave/aggregator'
import { Random, shuffleInPlace } from '@fedweave/client/training'

/** One client's part of a data set. */
export interface Shard {
  /** From 0. */
  readonly shard: number
  /** Number of shards. */
  readonly of: number
}

/**
 * The IID partitioner: the rows of shard `shard` when `examples` rows are put in a random order, which follows from `seed`
 * alone, and cut into `of` slices whose sizes differ by at most one (McMahan 2017, section 3). Each client computes its own: the shards are disjoint and
 * cover all rows. Throws `FL_OUT_OF_RANGE`.
 */
export function iidShard(examples: number, { shard, of }: Shard, seed: number): Int32Array {
  if (!Number.isInteger(of) || of < 1 || of > examples) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `expected 1 to ${examples} shards of ${examples} examples, got ${of}`)
  }
  if (!Number.isInteger(shard) || shard < 0 || shard >= of) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `expected a shard from 0 to ${of - 1}, got ${shard}`)
  }
  const order = Uint32Array.from({ length: examples }, (_, row) => row)
  shuffleInPlace(order, new Random(seed))
  const start = (index: number) => Math.floor((index * examples) / of)
  return Int32Array.from(order.subarray(start(shard), start(shard + 1)))
}
