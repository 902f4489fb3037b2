import { type CoordinatorEnv, encodeRound, largestRoster, type Prg, type UpdateFormat } from '@fedweave/aggregator'
import type { ComputePool } from '../compute/compute-pool.ts'
import type { TaskHistory } from './history.ts'
import type { InterruptedRound } from './interrupted.ts'
import type { Member } from './members.ts'
import { type Beginning, RoundDriver, type RoundHooks } from './round-driver.ts'
import { RoundSet, type RoundSetOptions } from './round-set.ts'
import { selectCohort } from './selection.ts'

export interface NewRound {
  readonly round: number
  readonly candidates: readonly Member[]
  readonly cohorts: number
}

export interface OpenRoundOptions extends Pick<RoundSetOptions, 'commit' | 'onAbort'> {
  readonly begin: NewRound | InterruptedRound
  readonly env: CoordinatorEnv
  readonly history: TaskHistory
  readonly format: UpdateFormat
  readonly prg: Prg
  readonly pool: ComputePool
  readonly hooks: Pick<RoundHooks, 'send' | 'event'>
}

/**
 * Chooses who is invited, deals them out to the cohorts, and starts those on the last committed model; or goes on with those
 * cohorts of an interrupted round whose clients had begun to give shares: the others are over.
 */
export function openRound({ begin, history, hooks, commit, onAbort, ...common }: OpenRoundOptions): RoundSet {
  const { round } = begin
  const beginnings = 'candidates' in begin ? newRound(begin, history) : begin.cohorts
  const total = 'candidates' in begin ? begin.cohorts : begin.total
  return new RoundSet({
    ...{ commit, onAbort, running: beginnings.length, cohorts: total },
    open: (index, commitCohort) =>
      new RoundDriver({
        ...common,
        begin: beginnings[index] as Beginning,
        hooks: {
          ...hooks,
          persistRound: (state, work) =>
            history.noteCohort({
              ...{ round, index, total },
              record: encodeRound(state),
              uploadBytes: work.uploadBytes,
              sum: work.words(),
            }),
          commit: commitCohort,
        },
      }),
    async finish(state, work) {
      const start = performance.now()
      const aggregate = await work.finish(state)
      hooks.event({ type: 'unmasked', round, seconds: (performance.now() - start) / 1000 })
      return aggregate
    },
  })
}

function newRound({ round, candidates, cohorts }: NewRound, history: TaskHistory): readonly Beginning[] {
  const invited = selectCohort(candidates, cohorts * largestRoster(history.config), history.config.initialModel, round)
  const { modelAfter: modelHash, hash: headHash } = history.head
  const base = { round, modelHash, head: history.signedHead, headHash }
  return Array.from({ length: cohorts }, (_, index) => ({
    base,
    invited: invited.filter((_, place) => place % cohorts === index),
  }))
}
