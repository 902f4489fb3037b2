import { equalBytes, FedweaveError, type JournalEntry, openEntry, toHex } from '@fedweave/aggregator'
import type { Store } from '../storage/store.ts'
import type { ServerKeys } from './identity.ts'

/**
 * Reads a task's journal from its beginning: every entry is signed by the operator, continues the one before, starts from the
 * model that that one left, and is of this task. Throws `FL_STORE_DAMAGED` naming the file and the offset of the first that
 * does not.
 */
export function replayJournal(
  store: Pick<Store, 'records' | 'placeOf'>,
  { curves, operatorKey }: Pick<ServerKeys, 'curves' | 'operatorKey'>,
  task: string,
  configHash: Uint8Array,
): readonly JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const [index, signed] of store.records.entries()) {
    const damaged = (why: string, cause?: unknown) =>
      new FedweaveError('FL_STORE_DAMAGED', `${store.placeOf(index)} ${why}`, { cause })
    let entry: JournalEntry
    try {
      entry = openEntry(curves, operatorKey, signed)
    } catch (cause) {
      throw damaged(`is no journal entry signed by the operator key ${toHex(operatorKey)}`, cause)
    }
    const before = entries.at(-1)
    if (entry.task !== task || !equalBytes(entry.configHash, configHash)) throw damaged(`is not of task ${task} with its config`)
    if (entry.index !== index) throw damaged(`is journal entry ${entry.index}, where ${index} is expected`)
    if (before !== undefined && !equalBytes(entry.previous, before.hash)) throw damaged('does not continue the entry before')
    if (before !== undefined && !equalBytes(entry.modelBefore, before.modelAfter))
      throw damaged('does not start from the model that the entry before left')
    if (before !== undefined && entry.round <= before.round) throw damaged(`is of round ${entry.round}, after ${before.round}`)
    entries.push(entry)
  }
  return entries
}
