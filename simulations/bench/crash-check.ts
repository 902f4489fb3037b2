import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
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
import { openFileStore, readTaskFolder } from '@fedweave/server'
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
  const store = await openFileStore(check.folder)
  const config = await store.readNote('config')
  try {
    const records: Uint8Array[] = []
    for await (const { bytes } of store.records()) records.push(bytes.slice())
    for (const [i, kept] of check.known.entries())
      if (records[i] === undefined || !equalBytes(records[i], kept)) problems.push(`entry ${i} was lost or changed`)
    const report = verifyJournal(nodeCurves, config ?? new Uint8Array(), records, {
      operatorKey,
      enrolmentKey: check.enrolmentKey,
    })
    problems.push(...report.problems)
    const entries = records.map((signed) => openEntry(nodeCurves, operatorKey, signed))
    problems.push(...(await modelProblems(check, config as Uint8Array, entries)))
    const byModel = new Map(entries.map((entry) => [toHex(entry.modelAfter), entry]))
    for (const { client, modelHash } of check.acknowledged) {
      const entry = byModel.get(modelHash)
      if (entry === undefined) problems.push(`model ${modelHash}, which client ${client} was told of, is not in the journal`)
      else if (!entry.cohorts.some(({ survivors }) => survivors.includes(client)))
        problems.push(`client ${client} was told that it counted in round ${entry.round}, and did not`)
    }
    for (const entry of entries.slice(Math.max(1, check.known.length))) {
      const [before, after] = await Promise.all(
        [entry.modelBefore, entry.modelAfter].map((hash) => weightsOf(check.folder, toHex(hash))),
      )
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
  } finally {
    await store.close()
  }
  return problems
}

/** Every model that the journal names is whole, and follows from the sums. */
async function modelProblems(
  { folder, operatorKey }: CrashCheck,
  signedConfig: Uint8Array,
  entries: readonly JournalEntry[],
): Promise<readonly string[]> {
  const { config } = openConfig(nodeCurves, fromHex(operatorKey), signedConfig)
  const { checkpoint } = await readTaskFolder(folder)
  const { models, replayed, problems } = await verifyModels(config, entries, { model: checkpoint, aggregate: checkpoint })
  if (models !== entries.length || replayed !== entries.length - 1)
    return [...problems, `of ${entries.length} models ${models} are there, ${replayed} with their sums`]
  return problems
}

async function weightsOf(folder: string, hash: string): Promise<Float32Array> {
  const bytes = await readFile(join(folder, 'checkpoints', hash))
  return new Float32Array(Uint8Array.from(bytes).buffer)
}
