import {
  type ClientId,
  equalBytes,
  fromHex,
  type JournalEntry,
  openConfig,
  openEntry,
  toHex,
  verifyJournal,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { readTaskFolder, type TaskFolder } from '@fedweave/server'
import { verifyModels } from '../src/verify/models.ts'
import type { Acknowledged } from './crash-clients.ts'

export interface CrashCheck {
  /** The store's folder, with no server on it. */
  readonly folder: string
  readonly operatorKey: string
  readonly enrolmentKey: Uint8Array
  /** The journal as it was found last time; extended in place. */
  readonly known: Uint8Array[]
  readonly acknowledged: readonly Acknowledged[]
  /** The place of each client's delta. */
  readonly places: ReadonlyMap<ClientId, number>
}

/** Rounds that were checked for who was counted: `known` up to there is not looked at again. */
export async function checkAfterCrash(check: CrashCheck): Promise<string[]> {
  const problems: string[] = []
  const operatorKey = fromHex(check.operatorKey)
  const kept = await readTaskFolder(check.folder) // as it is: to repair it is for the server's next start
  const records = kept.signedEntries
  for (const [i, known] of check.known.entries())
    if (records[i] === undefined || !equalBytes(records[i], known)) problems.push(`entry ${i} was lost or changed`)
  const report = verifyJournal(nodeCurves, kept.signedConfig, records, {
    operatorKey,
    enrolmentKey: check.enrolmentKey,
  })
  problems.push(...report.problems)
  const entries = records.map((signed) => openEntry(nodeCurves, operatorKey, signed))
  problems.push(...(await modelProblems(kept, check, entries)))
  const byModel = new Map(entries.map((entry) => [toHex(entry.modelAfter), entry]))
  for (const { client, modelHash } of check.acknowledged) {
    const entry = byModel.get(modelHash)
    if (entry === undefined) problems.push(`model ${modelHash}, which client ${client} was told of, is not in the journal`)
    else if (!entry.cohorts.some(({ survivors }) => survivors.includes(client)))
      problems.push(`client ${client} was told that it counted in round ${entry.round}, and did not`)
  }
  for (const entry of entries.slice(Math.max(1, check.known.length))) {
    const [before, after] = await Promise.all([entry.modelBefore, entry.modelAfter].map((hash) => weightsOf(kept, hash)))
    const survivors = entry.cohorts.flatMap((cohort) => cohort.survivors)
    if (new Set(survivors).size !== survivors.length) problems.push(`round ${entry.round} lists a client twice`)
    const counted = new Set(survivors.map((id) => check.places.get(id)))
    for (const [place, weight] of (after as Float32Array).entries()) {
      const times = (weight - ((before as Float32Array)[place] as number)) * entry.weight
      const expected = counted.has(place) ? 1 : 0
      if (Math.abs(times - expected) > 0.01)
        problems.push(`round ${entry.round} counts place ${place} ${times.toFixed(2)} times, not ${expected}`)
    }
  }
  check.known.push(...records.slice(check.known.length))
  return problems
}

/** Every model that the journal names is whole, and follows from the sums. */
async function modelProblems(
  { signedConfig, checkpoint }: TaskFolder,
  { operatorKey }: CrashCheck,
  entries: readonly JournalEntry[],
): Promise<readonly string[]> {
  const { config } = openConfig(nodeCurves, fromHex(operatorKey), signedConfig)
  const { models, replayed, problems } = await verifyModels(config, entries, { model: checkpoint, aggregate: checkpoint })
  if (models !== entries.length || replayed !== entries.length - 1)
    return [...problems, `of ${entries.length} models ${models} are there, ${replayed} with their sums`]
  return problems
}

async function weightsOf({ checkpoint }: TaskFolder, hash: Uint8Array): Promise<Float32Array> {
  const bytes = await checkpoint(toHex(hash))
  return new Float32Array((bytes?.slice() ?? new Uint8Array()).buffer)
}
