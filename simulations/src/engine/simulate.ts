import type { DataLibrary } from '../data/library.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { trainBaselines } from './baselines.ts'
import type { SimulationConfig } from './config.ts'
import { type OpenedStage, openStage } from './open-stage.ts'
import type { Lane } from './pool.ts'
import type { RoundRecord, SimulationResult } from './record.ts'
import { firstState, nextRound } from './rounds.ts'
import { checkSameRun, loadState, type SavedState, saveState } from './state.ts'
import { firstReached, summarise } from './summary.ts'

export interface SimulateOptions {
  readonly workers: number
  /** Where data sets come from; default: `FEDWEAVE_DATA_DIR`, the cache, their publishers. */
  readonly library?: DataLibrary
  /** Folder of the state that an interrupted run goes on from; absent: nothing is kept. */
  readonly folder?: string
  /** `socket`: the real server and real clients; nothing is kept to go on from. Default: `memory`. */
  readonly transport?: 'memory' | 'socket'
  /** Ends the run after the round that is running, or at once between rounds. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: SimulateEvent) => void
}

export type SimulateEvent =
  | {
      readonly type: 'loaded'
      readonly examples: number
      readonly clients: number
      readonly parameters: number
      readonly backend: string
    }
  | { readonly type: 'resumed'; readonly round: number }
  | { readonly type: 'round'; readonly record: RoundRecord; readonly of: number }
  | { readonly type: 'aborted'; readonly round: number; readonly message: string }
  | { readonly type: 'baselines'; readonly done: number; readonly of: number }
  | { readonly type: 'stopped'; readonly round: number }

/**
 * Runs a whole federation on this machine. The result follows from `config` and the data alone: not from the number of
 * workers, nor from when the run was interrupted. Returns nothing when `signal` stopped it. Throws `FL_OUT_OF_RANGE` for an impossible
 * partition, `FL_CONFIG_INVALID` for settings that no task could have, and the protocol's error when a round cannot be completed.
 */
export async function simulate(
  scenario: Scenario,
  config: SimulationConfig,
  { workers, library, folder, transport = 'memory', signal, onEvent = () => undefined }: SimulateOptions,
): Promise<SimulationResult | undefined> {
  const opened = await openStage(scenario, config, workers, library)
  const { stage, dataHash, initial } = opened
  const { pool, assignment, model } = stage
  try {
    const saved = folder === undefined || transport === 'socket' ? undefined : await loadState(folder)
    if (saved !== undefined) checkSameRun(saved, config, dataHash, folder as string)
    const { name, kernels } = await (pool.lanes[0] as Lane).ask<'backend'>({ kind: 'backend' })
    const backend = kernels === undefined ? name : `${name} (${kernels})`
    onEvent({
      type: 'loaded',
      examples: opened.federation.train.labels.length,
      clients: config.clients,
      parameters: initial.length,
      backend,
    })
    const onRound = (record: RoundRecord) => onEvent({ type: 'round', record, of: config.rounds })
    const state =
      transport === 'socket'
        ? await (await import('./socket-run.ts')).runOverSockets(opened, signal, onRound)
        : await runInMemory(opened, saved, folder, signal, onEvent)
    if (state === undefined) return undefined
    const baselines = config.baselines
      ? await trainBaselines(pool, config, assignment, model, initial, state.rounds.length, (done, of) =>
          onEvent({ type: 'baselines', done, of }),
        )
      : undefined
    return await summarise(opened, state, baselines)
  } finally {
    await pool.close()
  }
}

/** All rounds that are left; nothing when `signal` stopped them. */
async function runInMemory(
  opened: OpenedStage,
  saved: SavedState | undefined,
  folder: string | undefined,
  signal: AbortSignal | undefined,
  onEvent: (event: SimulateEvent) => void,
): Promise<SavedState | undefined> {
  const { scenario, stage } = opened
  const { config } = stage
  let state = saved ?? firstState(opened)
  if (state.rounds.length > 0) onEvent({ type: 'resumed', round: state.rounds.length })
  while (state.rounds.length < config.rounds && firstReached(scenario.metric, config, state.rounds) === undefined) {
    if (signal?.aborted) {
      onEvent({ type: 'stopped', round: state.rounds.length })
      return undefined
    }
    const round = state.rounds.length + 1
    state = await nextRound(opened, state, (message) => onEvent({ type: 'aborted', round, message }))
    if (folder !== undefined) await saveState(folder, state)
    onEvent({ type: 'round', record: state.rounds.at(-1) as RoundRecord, of: config.rounds })
  }
  return state
}
