import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { decodeFrames } from './frames.ts'
import { readIfThere } from './read-if-there.ts'
import { isCheckpointName } from './store.ts'
import { isTaskFolder } from './task-folders.ts'

/** What a task's folder holds, read beside a server that may be using it: nothing is locked, cut or cleared away. */
export interface TaskFolder {
  readonly signedConfig: Uint8Array
  /** The whole records of the journal; one that is just being written is not among them. */
  readonly signedEntries: readonly Uint8Array[]
  /** The bytes of that name, whatever they are; undefined where they are kept no more. */
  checkpoint(hash: string): Promise<Uint8Array | undefined>
}

/** Throws `FL_STORE_DAMAGED` naming file and offset, `FL_USAGE` where no task was begun. */
export async function readTaskFolder(folder: string): Promise<TaskFolder> {
  const journal = join(folder, 'journal.log')
  const config = join(folder, 'notes', 'config')
  const [signedConfig] = await recordsOf(config)
  if (signedConfig === undefined) throw new FedweaveError('FL_USAGE', `${folder} is no folder of a task: it has no notes/config`)
  return {
    signedConfig,
    signedEntries: await recordsOf(journal),
    checkpoint: async (hash) => (isCheckpointName(hash) ? readIfThere(join(folder, 'checkpoints', hash)) : undefined),
  }
}

/** The tasks of a server's data folder; none where it is no such folder. */
export async function tasksIn(data: string): Promise<readonly string[]> {
  const names = await readdir(join(data, 'tasks')).catch(() => [])
  return names.filter(isTaskFolder).sort()
}

async function recordsOf(path: string): Promise<readonly Uint8Array[]> {
  const bytes = await readIfThere(path)
  return bytes === undefined ? [] : decodeFrames(bytes, path).map(({ record }) => record)
}
