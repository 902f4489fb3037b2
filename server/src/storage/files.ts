import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { makeFolder, replaceFile, syncFolder, TMP_SUFFIX } from '@fedweave/aggregator/node'
import { decodeFrames, encodeFrame } from './frames.ts'
import { openJournal } from './journal-file.ts'
import { lockFolder } from './lock.ts'
import { readIfThere } from './read-if-there.ts'
import { checkpointName, isCheckpointName, type Store, storeClosed } from './store.ts'

/**
 * Opens the store in `folder`, which is made if need be: `journal.log`, `checkpoints/<sha256>` and `notes/<name>`. Files
 * have mode 0600, folders 0700. What an interrupted write left behind (a torn last record, temporary files) is cleared.
 *
 * Throws `FL_STORE_DAMAGED` naming file and offset when the journal holds anything else that was not written by it, and
 * `FL_CONFIG_INVALID` when another process has the folder open or it cannot be used. Writes reject with `FL_SERVER_FAULT` when the disk refuses.
 */
export async function openFileStore(folder: string): Promise<Store> {
  try {
    return await open(folder)
  } catch (cause) {
    if (cause instanceof FedweaveError) throw cause
    throw new FedweaveError('FL_CONFIG_INVALID', `cannot keep data in ${folder}: ${(cause as Error).message}`, {
      cause,
      cure: 'Name a folder that this user may write to.',
    })
  }
}

async function open(folder: string): Promise<Store> {
  const checkpoints = join(folder, 'checkpoints')
  const notes = join(folder, 'notes')
  await makeFolder(checkpoints)
  await makeFolder(notes)
  const unlock = await lockFolder(folder)
  try {
    await removeLeftovers(checkpoints)
    await removeLeftovers(notes)
    const journal = await openJournal(join(folder, 'journal.log'))

    let closed = false
    let last: Promise<unknown> = Promise.resolve()
    /** One write after the other, in the order of the calls. */
    function inTurn<T>(write: () => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(storeClosed())
      const result = last.then(write).catch(asFault)
      last = result.catch(() => {})
      return result
    }

    return {
      async *records() {
        if (closed) throw storeClosed()
        for await (const record of journal.records()) {
          yield record
          if (closed) throw storeClosed()
        }
      },
      append(record) {
        const frame = encodeFrame(record) // now, as the caller may reuse its buffer while the write waits its turn
        return inTurn(() => journal.append(frame))
      },
      putCheckpoint(bytes) {
        const hash = checkpointName(bytes)
        const kept = bytes.slice()
        return inTurn(async () => {
          await replaceFile(join(checkpoints, hash), kept)
          return hash
        })
      },
      keepCheckpoints(hashes) {
        const kept = new Set(hashes)
        return inTurn(() => removeOthers(checkpoints, kept))
      },
      async checkpoint(hash) {
        if (closed) throw storeClosed()
        if (!isCheckpointName(hash)) return undefined
        const file = join(checkpoints, hash)
        const bytes = await readIfThere(file)
        if (bytes !== undefined && checkpointName(bytes) !== hash) {
          throw new FedweaveError('FL_STORE_DAMAGED', `${file}: the content has the SHA-256 ${checkpointName(bytes)}`)
        }
        return bytes
      },
      note(name, bytes) {
        const frame = encodeFrame(bytes)
        return inTurn(() => replaceFile(join(notes, name), frame))
      },
      async readNote(name) {
        if (closed) throw storeClosed()
        const file = join(notes, name)
        const bytes = await readIfThere(file)
        if (bytes === undefined) return undefined
        const [frame] = decodeFrames(bytes, file)
        if (frame?.end !== bytes.length)
          throw new FedweaveError(
            'FL_STORE_DAMAGED',
            `${file}: expected one record, the rest at byte ${frame?.end ?? 0} is damaged`,
          )
        return frame.record
      },
      async close() {
        if (closed) return
        closed = true
        await last
        await journal.close()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

async function removeOthers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  const others = (await readdir(folder)).filter((name) => isCheckpointName(name) && !kept.has(name))
  for (const name of others) await rm(join(folder, name))
  if (others.length > 0) await syncFolder(folder)
}

async function removeLeftovers(folder: string): Promise<void> {
  const leftovers = (await readdir(folder)).filter((name) => name.endsWith(TMP_SUFFIX))
  for (const name of leftovers) await rm(join(folder, name))
  if (leftovers.length > 0) await syncFolder(folder)
}

function asFault(error: unknown): never {
  if (error instanceof FedweaveError) throw error
  throw new FedweaveError('FL_SERVER_FAULT', `the store could not be written: ${(error as Error).message}`, {
    cause: error,
    cure: 'Make room on the disk and check the permissions of the folder.',
  })
}
