import { Random, shuffleInPlace } from '@fedweave/client/training'
import { cut, gather, rowsByClass } from './deal.ts'
import { type Divisible, impossible } from './divisible.ts'
import { Partition } from './partition.ts'

/**
 * Each client has `classes` classes, and each class is dealt evenly to those that have it (Li et al. 2022, "Federated learning on
 * non-IID data silos", quantity-based label imbalance). The first class of client i is i mod the number of classes, so that none is
 * left out as long as there are clients enough; the others are drawn.
 */
export function pathological(
  data: Divisible,
  clients: number,
  seed: number,
  values: Readonly<Record<string, number>>,
): Partition {
  const wanted = values.classes as number
  const byClass = rowsByClass(data, seed)
  const present = [...byClass.keys()].filter((label) => (byClass[label]?.length ?? 0) > 0)
  if (wanted > present.length) throw impossible(`${wanted} classes a client of ${present.length} that have examples`)
  if (clients * wanted < present.length) {
    throw impossible(`${clients} clients with ${wanted} classes each leave some of ${present.length} classes to nobody`)
  }
  const random = new Random(seed)
  const holders: number[][] = data.classes > 0 ? Array.from({ length: data.classes }, () => []) : []
  let turn = 0 // the first `present.length` places go round the classes
  for (let client = 0; client < clients; client++) {
    const own = new Set<number>()
    while (own.size < wanted && turn < present.length) own.add(present[turn++] as number)
    if (own.size === 0) own.add(present[client % present.length] as number)
    const others = Uint32Array.from(present.filter((label) => !own.has(label)))
    shuffleInPlace(others, random)
    for (const label of others.subarray(0, wanted - own.size)) own.add(label)
    for (const label of own) holders[label]?.push(client)
  }
  const parts = byClass.map((rows, label) => {
    const own = holders[label] as number[]
    if (own.length > rows.length)
      throw impossible(`class ${label} has ${rows.length} examples for ${own.length} clients: take fewer clients`)
    const dealt = cut(
      rows,
      own.map(() => 1 / own.length),
    )
    const all = Array.from({ length: clients }, () => new Uint32Array())
    for (const [i, client] of own.entries()) all[client] = dealt[i] as Uint32Array<ArrayBuffer>
    return all
  })
  return new Partition(gather(parts, clients))
}
