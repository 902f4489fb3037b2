import { toHex } from '../core/bytes.ts'
import { hash } from '../crypto/kdf.ts'
import type { CoordinatorState } from '../secagg/coordinator-state.ts'
import { ENTRY_VERSION, type JournalBody } from '../secagg/journal.ts'
import type { Aggregate } from '../secagg/update.ts'
import { parseTaskConfig, type TaskConfig } from '../task/config.ts'

const INITIAL_MODEL = hash('initial model')

/** A small task of one vector of `size` parameters, in whose sums whole numbers are exact. */
export function harnessConfig(clients: number, size: number, enrolmentKey: string): TaskConfig {
  return parseTaskConfig({
    protocol: 'fedweave/v1',
    taskId: 'harness',
    rounds: 10,
    model: { topology: '{}', inputShape: [1], classes: 2, tensors: [{ name: 'w', shape: [size] }] },
    initialModel: toHex(INITIAL_MODEL),
    plan: { epochs: 1, batchSize: 32, optimizer: 'sgd', learningRate: 0.1 },
    strategy: { name: 'fedavg' },
    cohort: { minimum: 3, target: clients, overSelection: 1 },
    // A clip bound of 2^15 - 1 makes one quantum worth 1, so that whole numbers are summed exactly.
    secureAggregation: { clipBound: 32767, valueBits: 16, weighting: 'uniform', maxWeight: 1 },
    deadlines: { recruitingMs: 1000, setupMs: 1000, collectingMs: 1000, confirmingMs: 1000, unmaskingMs: 1000 },
    enrolment: { key: enrolmentKey, holder: 'external' },
  })
}

/** The journal's first entry: the initial model, and no round yet. */
export function genesisBody(task: string, configHash: Uint8Array, coordinatorKey: Uint8Array, at: number): JournalBody {
  const zero = new Uint8Array(32)
  return {
    version: ENTRY_VERSION,
    index: 0,
    task,
    round: 0,
    at,
    previous: zero,
    configHash,
    coordinatorKey,
    modelBefore: zero,
    modelAfter: INITIAL_MODEL,
    strategyState: zero,
    aggregates: [],
    cohorts: [],
    weight: 0,
    training: undefined,
    uploadBytes: 0,
    evaluation: undefined,
    privacy: undefined,
  }
}

/** What a completed round adds to the journal; training turns each model into the hash of it. */
export function roundBody(
  { facts, members, active, survivors, confirms }: Extract<CoordinatorState, { phase: 'completed' }>,
  { weight, counters }: Aggregate,
  index: number,
) {
  const { round, roster, modelHash, headHash } = facts
  return {
    index,
    round,
    previous: headHash,
    modelBefore: modelHash,
    modelAfter: hash('next model', modelHash),
    aggregates: [hash('aggregate', modelHash)],
    cohorts: [
      { roster, members, active, survivors, transcripts: [...confirms].map(([id, { signature }]) => ({ id, signature })) },
    ],
    weight,
    training: counters,
  }
}
