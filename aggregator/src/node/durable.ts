import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** How the names of files end that `replaceFile` has not finished. */
export const TMP_SUFFIX = '.tmp'

/**
 * Replaces `path` so that, whenever the machine stops, either the old or the new content is there whole: write beside
 * it, fsync, rename, fsync the folder (a rename lives in the folder, which has its own write-back). Mode 0600. Calls for
 * one path must not overlap within a process.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const tmp = `${path}.${process.pid}${TMP_SUFFIX}`
  await writeSynced(tmp, 'w', bytes)
  await rename(tmp, path)
  await syncFolder(dirname(path))
}

/**
 * Makes `path`, whole or not at all, and never over a file that is there, as a rename would; durable when it resolves. Whether
 * this call made it: of several processes that try at once, one does. Mode 0600.
 */
export async function createFile(path: string, bytes: Uint8Array): Promise<boolean> {
  const tmp = `${path}.${randomUUID()}${TMP_SUFFIX}`
  try {
    await writeSynced(tmp, 'wx', bytes)
    await link(tmp, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(tmp, { force: true })
  }
  await syncFolder(dirname(path))
  return true
}

/** Writes a file of mode 0600 and fsyncs it; its entry in the folder is not durable yet. */
async function writeSynced(path: string, flags: 'w' | 'wx', bytes: Uint8Array): Promise<void> {
  const handle = await open(path, flags, 0o600)
  try {
    await writeFully(handle, bytes, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** One `write` may take only a part of the bytes, for one when the disk is nearly full. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes `folder` and its missing parents with mode 0700, each durably entered in its own parent. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  const top = dirname(resolve(first))
  for (let at = resolve(folder); at !== top; at = dirname(at)) await syncFolder(dirname(at))
}
