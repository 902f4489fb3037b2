import { nextWeights, toHex } from '@fedweave/aggregator'
import { type Cohort, drawCohort } from './cohort.ts'
import { judgeRows } from './judge.ts'
import { entryOf, sealedBytesOf } from './ledger.ts'
import type { OpenedStage } from './open-stage.ts'
import { bandsOf, type Judged, type RoundRecord } from './record.ts'
import { type ClientResult, type RoundOutcome, runRound, type Stage } from './round.ts'
import { shareFloats } from './shared.ts'
import type { SavedState } from './state.ts'
import { judgedBy } from './summary.ts'
import { modelHash } from './task.ts'

/** Attempts at one round, after which a simulation gives up: its clients drop out too often. */
const MOST_ATTEMPTS = 20

/** Before the first round. */
export function firstState({ stage, dataHash, initial }: OpenedStage): SavedState {
  const { config, authority, environments } = stage
  return {
    config,
    dataHash,
    rounds: [],
    now: 0,
    head: config.secure === 'off' ? undefined : authority.sign(authority.genesis(environments.server, modelHash(initial))),
    weights: initial,
    counted: new Int32Array(config.clients),
  }
}

/** One committed round, after as many attempts as it takes; `onAborted` hears why one more is needed. */
export async function nextRound(
  opened: OpenedStage,
  state: SavedState,
  onAborted: (message: string) => void,
): Promise<SavedState> {
  const { stage, testRows } = opened
  const { config, assignment, model, pool, task } = stage
  const round = state.rounds.length + 1
  const weights = shareFloats(state.weights)
  const { epochs, batchSize, maxSteps = Number.POSITIVE_INFINITY } = config.plan
  const work = (client: number) => Math.min(assignment.train.sizeOf(client) * epochs, maxSteps * batchSize)
  let now = state.now
  for (let attempt = 0; ; attempt++) {
    const cohort = drawCohort(config, round, attempt, now, work)
    now += cohort.seconds
    let outcome: RoundOutcome
    try {
      outcome = await runRound(stage, { round, attempt, weights, head: state.head, now: Math.round(state.now * 1000) }, cohort)
    } catch (error) {
      if (!isLostRound(error) || attempt + 1 === MOST_ATTEMPTS) throw error
      onAborted((error as Error).message)
      continue
    }
    const next = shareFloats(nextWeights(task.config, state.weights, [outcome]))
    const judging = judgeRows(pool, { model, plan: config.plan, on: 'test' }, next, testRows)
    const hash = modelHash(next) // while the workers judge, and so is the entry
    const head = outcome.secure === undefined ? undefined : entryOf(stage, state.head as Uint8Array, outcome, hash)
    const metrics = await judging
    const counted = state.counted.slice()
    for (const client of cohort.survivors) counted[client] = (counted[client] as number) + 1
    const bytesOf = { update: updateBytes(stage, weights.length), model: 4 * weights.length }
    const record = recordOf(round, attempt, cohort, outcome, judgedBy(opened, metrics), bytesOf, now, hash)
    return { ...state, config, rounds: [...state.rounds, record], now, head, weights: next, counted }
  }
}

/** What happens in real life too, and is answered by another attempt. */
function isLostRound(error: unknown): boolean {
  return ['FL_TOO_FEW_SURVIVORS', 'FL_TOO_FEW_CLIENTS', 'FL_TOO_FEW_SHARES'].includes((error as { code?: string }).code ?? '')
}

function updateBytes({ config, task }: Stage, size: number): number {
  return config.secure === 'off' ? 4 * size : sealedBytesOf(task)
}

function recordOf(
  round: number,
  aborted: number,
  cohort: Cohort,
  { clients, weight, check }: RoundOutcome,
  test: Judged,
  bytesOf: { readonly update: number; readonly model: number },
  seconds: number,
  hash: Uint8Array,
): RoundRecord {
  const mean = (of: (result: ClientResult) => number) => clients.reduce((sum, one) => sum + of(one) * one.weight, 0) / weight
  const bands = bandsOf(clients)
  return {
    round,
    invited: cohort.invited.length,
    survivors: cohort.survivors.length,
    dropouts: cohort.dropouts.length,
    stragglers: cohort.stragglers.length,
    aborted,
    loss: mean(({ loss }) => loss),
    ...(bands.accuracyBand === undefined ? {} : { accuracy: mean(({ accuracy = 0 }) => accuracy) }),
    ...bands,
    test,
    uploadBytes: cohort.survivors.length * bytesOf.update,
    downloadBytes: cohort.invited.length * bytesOf.model,
    seconds,
    modelHash: toHex(hash),
    ...(check === undefined ? {} : { check }),
  }
}
