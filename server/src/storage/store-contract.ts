import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Store } from './store.ts'

/** An open store, and how to open what it kept again after closing it, as a restarted server would. */
export interface OpenedStore {
  readonly store: Store
  reopen(): Promise<Store>
}

/** What every `Store` promises, as named checks for any test runner; each opens an empty store of its own. */
export function storeContract(open: () => Promise<OpenedStore>): { readonly name: string; run(): Promise<void> }[] {
  return [
    {
      name: 'a new store holds nothing',
      async run() {
        const { store } = await open()
        assertBytes(await recordsOf(store), [])
        assert.equal(await store.checkpoint(sha256(record('absent'))), undefined)
        assert.equal(await store.readNote('round-0'), undefined)
        await store.close()
      },
    },
    {
      name: 'records come back in order, at once and after reopening, the empty one and one of 3 MB included',
      async run() {
        const { store, reopen } = await open()
        const records = [record('first'), new Uint8Array(0), pattern(3 << 20), record('last')]
        for (const each of records) await store.append(each)
        assertBytes(await recordsOf(store), records)
        await store.close()
        const again = await reopen()
        assertBytes(await recordsOf(again), records)
        await again.append(record('after'))
        await again.close()
        const third = await reopen()
        assertBytes(await recordsOf(third), [...records, record('after')])
        await third.close()
      },
    },
    {
      name: 'records that are appended at once keep the order of the calls',
      async run() {
        const { store, reopen } = await open()
        const records = Array.from({ length: 50 }, (_, i) => pattern(i * 37))
        await Promise.all(records.map((each) => store.append(each)))
        await store.close()
        const again = await reopen()
        assertBytes(await recordsOf(again), records)
        await again.close()
      },
    },
    {
      name: 'who reads the journal sees the records up to the one that was the last when the reading began',
      async run() {
        const { store } = await open()
        const records = [record('first'), record('second')]
        for (const each of records) await store.append(each)
        const seen: Uint8Array[] = []
        for await (const { bytes } of store.records()) {
          seen.push(bytes.slice())
          await store.append(record('later'))
        }
        assertBytes(seen, records)
        assertBytes(await recordsOf(store), [...records, record('later'), record('later')])
        await store.close()
      },
    },
    {
      name: 'each record has a place of its own',
      async run() {
        const { store } = await open()
        for (const each of [record('one'), record('one'), record('two')]) await store.append(each)
        const places = new Set<string>()
        for await (const { place } of store.records()) places.add(place)
        assert.equal(places.size, 3)
        await store.close()
      },
    },
    {
      name: 'a caller may reuse its buffer as soon as a call returns',
      async run() {
        const { store, reopen } = await open()
        const buffer = record('kept')
        const name = sha256(buffer)
        const calls = [store.append(buffer), store.putCheckpoint(buffer), store.note('round-0', buffer)]
        buffer.fill(0)
        await Promise.all(calls)
        await store.close()
        const again = await reopen()
        assertBytes(await recordsOf(again), [record('kept')])
        assertBytes([await again.checkpoint(name), await again.readNote('round-0')], [record('kept'), record('kept')])
        await again.close()
      },
    },
    {
      name: 'a checkpoint is named by its SHA-256, comes back whole, and may be put twice',
      async run() {
        const { store, reopen } = await open()
        const weights = pattern(300_000)
        const name = await store.putCheckpoint(weights)
        assert.equal(name, sha256(weights))
        assert.equal(await store.putCheckpoint(weights), name)
        assertBytes([await store.checkpoint(name)], [weights])
        await store.close()
        const again = await reopen()
        assertBytes([await again.checkpoint(name)], [weights])
        await again.close()
      },
    },
    {
      name: 'checkpoints that are not named are removed for good, and no other',
      async run() {
        const { store, reopen } = await open()
        const [kept, removed] = [await store.putCheckpoint(record('kept')), await store.putCheckpoint(record('removed'))]
        await store.keepCheckpoints(new Set([kept, sha256(record('never there'))]))
        assert.equal(await store.checkpoint(removed), undefined)
        await store.close()
        const again = await reopen()
        assertBytes([await again.checkpoint(kept)], [record('kept')])
        assert.equal(await again.checkpoint(removed), undefined)
        assert.equal(await again.putCheckpoint(record('removed')), removed)
        assertBytes([await again.checkpoint(removed)], [record('removed')])
        await again.close()
      },
    },
    {
      name: 'what is not a hash names no checkpoint',
      async run() {
        const { store } = await open()
        const name = await store.putCheckpoint(record('weights'))
        for (const wrong of [
          '',
          '..',
          '../journal.log',
          `../checkpoints/${name}`,
          `${name}/`,
          name.toUpperCase(),
          `${name}\0`,
          '__proto__',
        ]) {
          assert.equal(await store.checkpoint(wrong), undefined, JSON.stringify(wrong))
        }
        await store.close()
      },
    },
    {
      name: 'a note replaces the last one of its name alone, and outlives reopening',
      async run() {
        const { store, reopen } = await open()
        await store.note('round-0', record('a first, longer note'))
        await store.note('attempt', record('other'))
        await store.note('round-0', record('second'))
        assertBytes([await store.readNote('round-0')], [record('second')])
        await store.close()
        const again = await reopen()
        assertBytes([await again.readNote('round-0'), await again.readNote('attempt')], [record('second'), record('other')])
        assertBytes(await recordsOf(again), []) // a note is no part of the journal
        await again.close()
      },
    },
    {
      name: 'closing ends the reading of the journal, which does not hold it up',
      async run() {
        const { store } = await open()
        for (const each of [record('one'), record('two')]) await store.append(each)
        const seen: Uint8Array[] = []
        const reading = async () => {
          for await (const { bytes } of store.records()) {
            seen.push(bytes.slice())
            await store.close()
          }
        }
        await assert.rejects(reading(), { code: 'FL_STOPPED' })
        assertBytes(seen, [record('one')])
      },
    },
    {
      name: 'closing waits for what was begun and refuses what comes later',
      async run() {
        const { store, reopen } = await open()
        const begun = store.append(record('begun'))
        await store.close()
        await begun
        const stopped = { code: 'FL_STOPPED' }
        await assert.rejects(store.append(record('late')), stopped)
        await assert.rejects(store.putCheckpoint(record('late')), stopped)
        await assert.rejects(store.checkpoint(sha256(record('late'))), stopped)
        await assert.rejects(store.keepCheckpoints(new Set()), stopped)
        await assert.rejects(store.note('round-0', record('late')), stopped)
        await assert.rejects(store.readNote('round-0'), stopped)
        await assert.rejects(recordsOf(store), stopped)
        await store.close()
        const again = await reopen()
        assertBytes(await recordsOf(again), [record('begun')])
        await again.close()
      },
    },
  ]
}

async function recordsOf(store: Store): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  for await (const { bytes } of store.records()) records.push(bytes.slice())
  return records
}

function record(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes that differ from their neighbours, so that a shift or a repeat shows. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function assertBytes(got: readonly (Uint8Array | undefined)[], expected: readonly Uint8Array[]): void {
  const lengths = (list: readonly (Uint8Array | undefined)[]) => list.map((each) => each?.length)
  assert.deepEqual(lengths(got), lengths(expected))
  // Not `deepEqual`: on a difference it would print megabytes.
  for (const [i, each] of expected.entries()) assert.ok(isDeepStrictEqual(got[i], each), `bytes of entry ${i} differ`)
}
