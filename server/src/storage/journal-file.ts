import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { syncFolder, writeFully } from '@fedweave/aggregator/node'
import { decodeFrames, type Frame } from './frames.ts'
import type { JournalRecord } from './store.ts'

export interface JournalFile {
  /** What the file holds at the first step, read a piece at a time. Throws `FL_STORE_DAMAGED`. */
  records(): AsyncGenerator<JournalRecord>
  /** Writes a frame behind the last one and fsyncs. Calls must not overlap. */
  append(frame: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Bytes that are read at once; more where one record has more. */
const PIECE_BYTES = 1024 * 1024

/** Opens or makes the journal at `path` and cuts a torn tail. Throws `FL_STORE_DAMAGED` on any other damage. */
export async function openJournal(path: string): Promise<JournalFile> {
  const handle = await openOrCreate(path)
  try {
    const { size } = await handle.stat()
    let whole = 0
    for await (const { end } of framesOf(handle, path, size)) whole = end
    if (whole !== size) await cut(handle, whole)
    return journalOf(handle, path, whole)
  } catch (error) {
    await handle.close()
    throw error
  }
}

function journalOf(handle: FileHandle, path: string, size: number): JournalFile {
  let end = size
  let broken = false
  return {
    async *records() {
      for await (const { record, offset } of framesOf(handle, path, end))
        yield { bytes: record, place: `${path}: the record at byte ${offset}` }
    },
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

/** The whole frames in the first `size` bytes of a file. No more of it is held than a piece, or one frame. */
async function* framesOf(handle: FileHandle, path: string, size: number): AsyncGenerator<Frame> {
  let at = 0
  let held: Uint8Array = new Uint8Array(0) // of the file from `at` on
  while (at + held.length < size) {
    const length = Math.min(held.length + Math.max(held.length, PIECE_BYTES), size - at)
    held = await readOn(handle, path, at, held, length)
    const frames = decodeFrames(held, path, at)
    yield* frames
    const next = frames.at(-1)?.end ?? at
    held = held.subarray(next - at)
    at = next
  }
}

/** `length` bytes of the file from `at` on, of which the first are known. */
async function readOn(handle: FileHandle, path: string, at: number, known: Uint8Array, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  bytes.set(known)
  for (let done = known.length; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) throw new FedweaveError('FL_STORE_DAMAGED', `${path} was cut off at byte ${at + done}`)
    done += bytesRead
  }
  return bytes
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
