import { Random, shuffleInPlace } from '@fedweave/client/training'
import { type Divisible, impossible } from './divisible.ts'
import { Partition } from './partition.ts'

/** The clients that the data come from, each with its rows in their order. */
export function natural(data: Divisible, clients: number): Partition {
  const groups = byId(data)
  if (groups.length !== clients)
    throw impossible(`the data come from ${groups.length} clients, not ${clients}: ask for ${groups.length}`)
  return new Partition(groups)
}

/** Natural clients in a random order, `size` of them to a client, the last with what is left. */
export function groupedNatural(
  data: Divisible,
  clients: number,
  seed: number,
  values: Readonly<Record<string, number>>,
): Partition {
  const groups = byId(data)
  const size = values.size as number
  const needed = Math.ceil(groups.length / size)
  if (needed !== clients)
    throw impossible(`${groups.length} natural clients in groups of ${size} make ${needed} clients, not ${clients}`)
  const order = Uint32Array.from(groups.keys())
  shuffleInPlace(order, new Random(seed))
  return new Partition(
    Array.from({ length: clients }, (_, client) =>
      [...order.subarray(client * size, (client + 1) * size)].flatMap((id) => groups[id] as number[]),
    ),
  )
}

function byId({ ids }: Divisible): number[][] {
  if (ids === undefined) throw impossible('these data have no natural clients: take another partition')
  const groups: number[][] = []
  for (const [row, id] of ids.entries()) {
    while (groups.length <= id) groups.push([])
    groups[id]?.push(row)
  }
  return groups
}
