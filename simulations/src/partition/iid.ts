import { FedweaveError } from '@fedweave/aggregator'
import { shuffledRows } from './deal.ts'
import type { Divisible } from './divisible.ts'
import { Partition } from './partition.ts'

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
  return Int32Array.from(slice(shuffledRows(examples, seed), shard, of))
}

/** All shards of the IID partitioner at once. Throws `FL_OUT_OF_RANGE` for more clients than examples. */
export function iid({ labels }: Divisible, clients: number, seed: number): Partition {
  if (clients > labels.length) {
    throw new FedweaveError(
      'FL_OUT_OF_RANGE',
      `expected 1 to ${labels.length} clients for ${labels.length} examples, got ${clients}`,
    )
  }
  const order = shuffledRows(labels.length, seed)
  return new Partition(Array.from({ length: clients }, (_, client) => slice(order, client, clients)))
}

function slice(order: Uint32Array, index: number, of: number): Uint32Array {
  const start = (i: number) => Math.floor((i * order.length) / of)
  return order.subarray(start(index), start(index + 1))
}
