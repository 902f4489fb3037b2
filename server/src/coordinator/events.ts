import {
  type ClientId,
  type ErrorCode,
  type Evaluation,
  isRegressor,
  type JournalEntry,
  type ModelSpec,
  toHex,
} from '@fedweave/aggregator'

/** How far one client has come in the running round. */
export type ClientProgress = 'ready' | 'shared-keys' | 'acknowledged' | 'uploaded' | 'confirmed' | 'unmasked' | 'dropped'

/** What a task tells whoever watches it: dashboards, logs, the demo. Holds nothing secret. */
export type TaskEvent =
  | { readonly type: 'clients'; readonly connected: number }
  | { readonly type: 'phase'; readonly round: number; readonly phase: string; readonly clients: number }
  | {
      readonly type: 'client'
      readonly round: number
      readonly client: ClientId
      readonly progress: ClientProgress
      readonly bytes?: number
      /** Where it was when it dropped out. */
      readonly phase?: string
    }
  | { readonly type: 'phase-ended'; readonly round: number; readonly phase: string; readonly seconds: number }
  | { readonly type: 'unmasked'; readonly round: number; readonly seconds: number }
  | {
      readonly type: 'committed'
      readonly round: number
      readonly cohort: number
      readonly survivors: number
      readonly modelHash: string
      readonly uploadBytes: number
      readonly loss?: number
      /** Of a classifier. */
      readonly accuracy?: number
      readonly evaluation?: Evaluation
      /** Absent: no differential privacy. */
      readonly privacy?: JournalEntry['privacy']
    }
  | { readonly type: 'aborted'; readonly round: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'round-ended'; readonly round: number; readonly outcome: 'committed' | 'aborted' }
  | { readonly type: 'state'; readonly state: 'open' | 'paused' | 'stopped' }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'finished'; readonly rounds: number }

/** What to tell of a round of such a model that was just committed. */
export function committedEvents(head: JournalEntry, model: ModelSpec): readonly TaskEvent[] {
  const { round, cohorts, uploadBytes, training, evaluation, privacy } = head
  const committed: TaskEvent = {
    type: 'committed',
    round,
    cohort: cohorts.reduce((sum, { roster }) => sum + roster.length, 0),
    survivors: cohorts.reduce((sum, { survivors }) => sum + survivors.length, 0),
    modelHash: toHex(head.modelAfter),
    uploadBytes,
    ...(training === undefined ? {} : { loss: training.loss }),
    ...(training === undefined || isRegressor(model) ? {} : { accuracy: training.accuracy }),
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(privacy === undefined ? {} : { privacy }),
  }
  if (training !== undefined) return [committed]
  return [
    { type: 'warning', message: `round ${round}: the counters are garbage; some client did not follow the protocol` },
    committed,
  ]
}
