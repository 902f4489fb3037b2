import { Random, shuffleInPlace } from '@fedweave/client/training'
import type { Divisible } from './divisible.ts'

/** All rows in a random order. */
export function shuffledRows(examples: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: examples }, (_, row) => row)
  shuffleInPlace(order, new Random(seed))
  return order
}

/** The rows of each class, each list in a random order. */
export function rowsByClass({ labels, classes }: Divisible, seed: number): Uint32Array[] {
  const lists: number[][] = Array.from({ length: classes }, () => [])
  for (const row of shuffledRows(labels.length, seed)) lists[labels[row] as number]?.push(row)
  return lists.map((rows) => Uint32Array.from(rows))
}

/** Cuts `rows` into parts of these shares, which add up to 1: cumulated and rounded, so that every row is in one part. */
export function cut(rows: Uint32Array, shares: readonly number[]): Uint32Array[] {
  let [sum, from] = [0, 0]
  return shares.map((share, i) => {
    sum += share
    const to = i === shares.length - 1 ? rows.length : Math.min(rows.length, Math.max(from, Math.round(sum * rows.length)))
    const part = rows.subarray(from, to)
    from = to
    return part
  })
}

/** Lists of lists, joined by place: what each client has of every class. */
export function gather(parts: readonly (readonly Uint32Array[])[], clients: number): Uint32Array[] {
  return Array.from({ length: clients }, (_, client) => {
    const own = parts.map((dealt) => dealt[client] as Uint32Array)
    const rows = new Uint32Array(own.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of own) {
      rows.set(part, at)
      at += part.length
    }
    return rows
  })
}
