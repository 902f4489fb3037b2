import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { openFileStore } from '../../server/src/storage/files.ts'
import type { Store } from '../../server/src/storage/store.ts'

/** The process that the storage faults hit: appends record after record with a checkpoint each, and says what was acknowledged. */

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** What the journal holds, by the hashes of its records. */
export async function hashesOf(store: Store): Promise<readonly string[]> {
  const hashes: string[] = []
  for await (const { bytes } of store.records()) hashes.push(sha256(bytes))
  return hashes
}

/** Record `index`, up to 4 MB: large enough that some kills land inside a write. The same in every process. */
export function recordOf(index: number): Uint8Array {
  return filled(`record ${index}`, (index * 1_760_041) % 4_000_000)
}

export function checkpointOf(index: number): Uint8Array {
  return filled(`checkpoint ${index}`, 200_000 + ((index * 88_007) % 900_000))
}

/** One hash, repeated: a mixture of two of them never hashes to either's name. */
function filled(label: string, length: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(length, createHash('sha256').update(label).digest()))
}

/** Synchronous, so that the line is in the pipe before anything else happens. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}

async function write(folder: string): Promise<void> {
  const store = await openFileStore(folder)
  for (let index = (await hashesOf(store)).length; ; index++) {
    await Promise.all([
      store.append(recordOf(index)).then(() => say(`record ${index}`)),
      store.putCheckpoint(checkpointOf(index)).then((hash) => say(`checkpoint ${hash}`)),
    ])
  }
}

/** Appends ever larger records until the disk refuses one, then a small one. */
async function fill(folder: string): Promise<void> {
  const store = await openFileStore(folder)
  for (let index = 0; ; index++) {
    try {
      await store.append(recordOf(index))
      say(`record ${index}`)
    } catch (error) {
      say(`refused ${index} ${(error as { code: string }).code}`)
      break
    }
  }
  await store.append(new Uint8Array([1, 2, 3]))
  say('small')
  await store.close()
}

const [, script, mode, folder] = process.argv
if (script !== undefined && pathToFileURL(script).href === import.meta.url && folder !== undefined) {
  await (mode === 'fill' ? fill(folder) : write(folder))
}
