import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { syncFolder, writeFully } from '@fedweave/aggregator/node'
import { decodeFrames, type Frames } from './frames.ts'
import { plain } from './plain.ts'

export interface JournalFile {
  readonly records: readonly Uint8Array[]
  readonly offsets: readonly number[]
  /** Writes a frame behind the last one and fsyncs. Calls must not overlap. */
  append(frame: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Opens or makes the journal at `path` and cuts a torn tail. Throws `FL_STORE_DAMAGED` on any other damage. */
export async function openJournal(path: string): Promise<JournalFile> {
  const handle = await openOrCreate(path)
  try {
    const bytes = plain(await handle.readFile())
    const found = decodeFrames(bytes, path)
    if (found.end !== bytes.length) await cut(handle, found.end)
    return appendTo(handle, path, found)
  } catch (error) {
    await handle.close()
    throw error
  }
}

function appendTo(handle: FileHandle, path: string, { records, offsets, ...found }: Frames): JournalFile {
  let { end } = found
  let broken = false
  return {
    records,
    offsets,
    async append(frame) {
      if (broken) throw new FedweaveError('FL_SERVER_FAULT', `${path}: an earlier write failed and could not be undone`)
      try {
        await writeFully(handle, frame, end)
        await handle.sync()
      } catch (error) {
        // A rejected record must not show up after a restart. It was the last one, so that cutting it off also takes
        // with it the pages whose state a failed fsync leaves unknown.
        await cut(handle, end).catch(() => {
          broken = true
        })
        throw error
      }
      end += frame.length
    },
    close: () => handle.close(),
  }
}

async function cut(handle: FileHandle, length: number): Promise<void> {
  await handle.truncate(length)
  await handle.sync()
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const handle = await open(path, 'wx+', 0o600)
  await syncFolder(dirname(path))
  return handle
}
