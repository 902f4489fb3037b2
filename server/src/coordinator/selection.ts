import { compareBytes, hash } from '@fedweave/aggregator'
import type { Member } from './members.ts'

/**
 * The cohort of a round: those who took part least so far, and among equals an order that follows from the seed and the
 * round's number alone, so that nobody's connection speed decides who is heard.
 */
export function selectCohort(candidates: readonly Member[], wanted: number, seed: string, round: number): readonly Member[] {
  const lots = new Map(candidates.map(({ id }) => [id, hash('selection', seed, round, id)]))
  const order = (a: Member, b: Member) =>
    a.rounds - b.rounds || compareBytes(lots.get(a.id) as Uint8Array, lots.get(b.id) as Uint8Array)
  return [...candidates].sort(order).slice(0, wanted)
}
