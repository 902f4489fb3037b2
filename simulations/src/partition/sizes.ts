import { cut, shuffledRows } from './deal.ts'
import { type Divisible, impossible } from './divisible.ts'
import { Partition } from './partition.ts'

/** Client i, from 1, has a part proportional to i. */
export function linear(data: Divisible, clients: number, seed: number): Partition {
  return sized(data, clients, seed, (i) => i)
}

/** Client i, from 1, has a part proportional to i squared. */
export function square(data: Divisible, clients: number, seed: number): Partition {
  return sized(data, clients, seed, (i) => i ** 2)
}

/** Client i, from 1, has a part proportional to e to the i. */
export function exponential(data: Divisible, clients: number, seed: number): Partition {
  return sized(data, clients, seed, (i) => Math.exp(i - clients)) // the same shares without overflow
}

function sized({ labels }: Divisible, clients: number, seed: number, of: (i: number) => number): Partition {
  const weights = Array.from({ length: clients }, (_, i) => of(i + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const parts = cut(
    shuffledRows(labels.length, seed),
    weights.map((weight) => weight / total),
  )
  const empty = parts.findIndex(({ length }) => length === 0)
  if (empty >= 0)
    throw impossible(`${labels.length} examples in such parts leave client ${empty} of ${clients} none: take fewer clients`)
  return new Partition(parts)
}
