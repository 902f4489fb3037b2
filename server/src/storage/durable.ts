import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export const TMP_SUFFIX = '.tmp'

/**
 * Replaces `path` so that, whenever the machine stops, either the old or the new content is there whole: write beside
 * it, fsync, rename, fsync the folder (a rename lives in the folder, which has its own write-back).
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const tmp = path + TMP_SUFFIX
  const handle = await open(tmp, 'w', 0o600)
  try {
    await writeFully(handle, bytes, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(tmp, path)
  await syncFolder(dirname(path))
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

/** The same bytes without Buffer's methods: `Buffer.slice` shares memory where `Uint8Array.slice` copies. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
