import {
  equalBytes,
  FedweaveError,
  fromHex,
  isRegressor,
  type JournalEntry,
  type ModelSpec,
  naclCurves,
  openConfig,
  openEntry,
  roundsOfBurst,
  toHex,
} from '@fedweave/aggregator'
import { baseUrl, httpPlane, request } from '../transport/http.ts'
import { fetchWeights } from '../weights.ts'
import type { CommittedRound, ReadOrder, TaskRecord, WeightsOrder } from './messages.ts'
import { cachedModels, storeOrMemory } from './store.ts'

const never = new AbortController().signal

/**
 * Reads a task's public record without joining it. Throws `FL_PIN_MISMATCH` for what the operator did not sign,
 * `FL_PROTOCOL_VIOLATION` for a journal that does not hang together.
 */
export async function readTask({ url, task, operatorKey }: ReadOrder): Promise<TaskRecord> {
  const base = baseUrl(url)
  const key = fromHex(operatorKey, 32)
  const raw = await (await request(new URL(`v1/tasks/${encodeURIComponent(task)}/journal`, base), { signal: never })).json()
  const { config: signed, entries } = parseJournal(raw)
  const { config, configHash } = openConfig(naclCurves, key, signed)
  if (config.taskId !== task) throw broken(`it is of task ${config.taskId}`)
  const journal = entries.map((entry) => openEntry(naclCurves, key, entry))
  checkChain(journal, configHash, config.initialModel)
  return {
    model: config.model,
    plan: config.plan,
    eligibility: config.eligibility ?? {},
    planned: roundsOfBurst(config, entries.length - 1),
    rounds: journal.slice(1).map((entry) => describe(config.model, entry)),
    modelHash: toHex((journal.at(-1) as JournalEntry).modelAfter),
    certifies: config.enrolment.holder === 'server',
  }
}

/** A model by the hash that a record named, from the page's storage where it lies there. Throws `FL_MODEL_HASH`. */
export async function readWeights({ url, task, modelHash, database }: WeightsOrder): Promise<Float32Array> {
  const store = await storeOrMemory(database, () => undefined) // nothing here must be kept
  return fetchWeights(cachedModels(httpPlane(baseUrl(url)), store), task, fromHex(modelHash, 32), never)
}

function parseJournal(raw: unknown): { readonly config: Uint8Array; readonly entries: readonly Uint8Array[] } {
  const { config, entries } = (raw ?? {}) as { config?: unknown; entries?: unknown }
  if (typeof config !== 'string' || !Array.isArray(entries) || entries.length === 0) throw broken('it is no journal')
  return { config: fromBase64(config), entries: entries.map(fromBase64) }
}

function fromBase64(raw: unknown): Uint8Array {
  try {
    return Uint8Array.from(atob(String(raw)), (character) => character.charCodeAt(0))
  } catch {
    throw broken('it is not base64')
  }
}

/** One entry continues the other, from the model that the config names to the last one. */
function checkChain(journal: readonly JournalEntry[], configHash: Uint8Array, initialModel: string): void {
  let before: JournalEntry | undefined
  for (const entry of journal) {
    const follows =
      before === undefined
        ? entry.index === 0 && toHex(entry.modelAfter) === initialModel
        : equalBytes(entry.previous, before.hash) && equalBytes(entry.modelBefore, before.modelAfter)
    if (!follows || !equalBytes(entry.configHash, configHash)) throw broken(`entry ${entry.index} does not continue it`)
    before = entry
  }
}

function describe(model: ModelSpec, { round, at, cohorts, training, evaluation }: JournalEntry): CommittedRound {
  const accuracy = isRegressor(model) || training === undefined ? {} : { accuracy: training.accuracy }
  return {
    round,
    at,
    cohort: cohorts.reduce((sum, { roster }) => sum + roster.length, 0),
    survivors: cohorts.reduce((sum, { survivors }) => sum + survivors.length, 0),
    ...(training === undefined ? {} : { training: { loss: training.loss, ...accuracy } }),
    ...(evaluation === undefined ? {} : { evaluation }),
  }
}

function broken(why: string): FedweaveError {
  return new FedweaveError('FL_PROTOCOL_VIOLATION', `the journal cannot be read: ${why}`)
}
