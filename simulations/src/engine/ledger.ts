import { encodeAggregate, UpdateFormat } from '@fedweave/aggregator'
import type { RoundOutcome, Stage } from './round.ts'
import { digestOf, type SimulatedTask } from './task.ts'

/**
 * The journal entry of a committed round, signed: what the next round's clients check that it builds on. `model`: the hash of the
 * weights that the round ends with.
 */
export function entryOf(
  { authority, environments, task }: Stage,
  head: Uint8Array,
  { secure, weight }: RoundOutcome,
  model: Uint8Array,
): Uint8Array {
  if (secure === undefined) throw new Error('a round without secure aggregation has no journal')
  const { state, aggregate } = secure
  const { facts, members, active, survivors, confirms } = state
  const previous = authority.open(head)
  const transcripts = [...confirms].map(([id, { signature }]) => ({ id, signature }))
  return authority.sign({
    ...authority.genesis(environments.server, model),
    index: previous.index + 1,
    round: facts.round,
    previous: previous.hash,
    modelBefore: facts.modelHash,
    aggregates: [digestOf(encodeAggregate(aggregate))],
    cohorts: [{ roster: facts.roster, members, active, survivors, transcripts }],
    weight,
    training: aggregate.counters,
    uploadBytes: sealedBytesOf(task),
  })
}

/** Bytes of one sealed update. */
export function sealedBytesOf({ config }: SimulatedTask): number {
  return new UpdateFormat(config).sealedBytes
}
