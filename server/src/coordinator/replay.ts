import { type EntryLink, entryLink, equalBytes, FedweaveError, type JournalEntry, openEntry, toHex } from '@fedweave/aggregator'
import type { JournalRecord, Store } from '../storage/store.ts'
import type { ServerKeys } from './identity.ts'

/** What every entry of a task's journal has in common. */
export interface JournalOf {
  readonly keys: Pick<ServerKeys, 'curves' | 'operatorKey'>
  readonly task: string
  readonly configHash: Uint8Array
}

/** The last entry of a journal, read and as the operator signed it. */
export interface JournalHead {
  readonly entry: JournalEntry
  readonly signed: Uint8Array
}

/**
 * Reads a task's journal from its beginning, one entry after the other: each is of this task, continues the one before, and starts
 * from the model that that one left. The operator's signature on the last vouches, through the hashes, for all of them.
 * Undefined where there is no entry. Throws `FL_STORE_DAMAGED` naming the file and the offset of the first that is wrong.
 */
export async function replayJournal(
  store: Pick<Store, 'records'>,
  of: JournalOf,
  each: (link: EntryLink) => void,
): Promise<JournalHead | undefined> {
  let last: JournalRecord | undefined
  let before: EntryLink | undefined
  for await (const record of store.records()) {
    const link = read(record, of, entryLink)
    const wrong = wrongWith(link, before, of)
    if (wrong !== undefined) throw damaged(record, wrong)
    each(link)
    before = link
    last = record
  }
  if (last === undefined) return undefined
  const { curves, operatorKey } = of.keys
  return { entry: read(last, of, (signed) => openEntry(curves, operatorKey, signed)), signed: last.bytes.slice() }
}

function read<T>(record: JournalRecord, { keys }: JournalOf, parse: (signed: Uint8Array) => T): T {
  try {
    return parse(record.bytes)
  } catch (cause) {
    throw damaged(record, `is no journal entry signed by the operator key ${toHex(keys.operatorKey)}`, cause)
  }
}

function wrongWith(link: EntryLink, before: EntryLink | undefined, { task, configHash }: JournalOf): string | undefined {
  const index = before === undefined ? 0 : before.index + 1
  if (link.task !== task || !equalBytes(link.configHash, configHash)) return `is not of task ${task} with its config`
  if (link.index !== index) return `is journal entry ${link.index}, where ${index} is expected`
  if (before === undefined) return undefined
  if (!equalBytes(link.previous, before.hash)) return 'does not continue the entry before'
  if (!equalBytes(link.modelBefore, before.modelAfter)) return 'does not start from the model that the entry before left'
  return link.round <= before.round ? `is of round ${link.round}, after ${before.round}` : undefined
}

function damaged({ place }: JournalRecord, why: string, cause?: unknown): FedweaveError {
  return new FedweaveError('FL_STORE_DAMAGED', `${place} ${why}`, { cause })
}
