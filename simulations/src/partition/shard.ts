import { Random, shuffleInPlace } from '@fedweave/client/training'
import { gather, rowsByClass } from './deal.ts'
import { type Divisible, impossible } from './divisible.ts'
import { Partition } from './partition.ts'

/**
 * Rows sorted by class and cut into shards, `shards` of which each client gets at random (McMahan 2017, section 3: 200 shards
 * of 300, two each). Without `size` all rows are used and sizes differ by at most one; with it, shards that nobody gets are left out.
 */
export function shard(data: Divisible, clients: number, seed: number, values: Readonly<Record<string, number>>): Partition {
  const { shards, size } = values as { shards: number; size: number }
  const needed = clients * shards
  const [sorted = new Uint32Array()] = gather(
    rowsByClass(data, seed).map((rows) => [rows]),
    1,
  )
  const pieces = size === 0 ? evenly(sorted, needed) : inPieces(sorted, size, values['keep-incomplete'] === 1)
  if (pieces.length < needed) {
    const most = size === 0 ? `${sorted.length} shards of one example` : `${pieces.length} shards of ${size}`
    throw impossible(`${clients} clients x ${shards} shards are ${needed}, and ${sorted.length} examples make ${most}`)
  }
  const order = Uint32Array.from(pieces.keys())
  shuffleInPlace(order, new Random(seed))
  return new Partition(
    Array.from({ length: clients }, (_, client) =>
      [...order.subarray(client * shards, (client + 1) * shards)].flatMap((piece) => [...(pieces[piece] as Uint32Array)]),
    ),
  )
}

function evenly(rows: Uint32Array, pieces: number): Uint32Array[] {
  if (pieces > rows.length) return []
  const start = (i: number) => Math.floor((i * rows.length) / pieces)
  return Array.from({ length: pieces }, (_, i) => rows.subarray(start(i), start(i + 1)))
}

function inPieces(rows: Uint32Array, size: number, keepIncomplete: boolean): Uint32Array[] {
  const count = keepIncomplete ? Math.ceil(rows.length / size) : Math.floor(rows.length / size)
  return Array.from({ length: count }, (_, i) => rows.subarray(i * size, (i + 1) * size))
}
