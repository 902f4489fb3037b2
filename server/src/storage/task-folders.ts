import { randomBytes } from 'node:crypto'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, syncFolder } from '@fedweave/aggregator/node'
import type { TaskShelf } from '../task-book.ts'
import { openFileStore } from './files.ts'
import type { Store } from './store.ts'

/** Begins with a sign that no task id begins with. */
const REMOVED = '.removed-'

/** A folder with one folder for each task, which holds all that the task keeps. */
export function taskFolders(folder: string): TaskShelf & { openStore(id: string): Promise<Store> } {
  return {
    openStore: (id) => openFileStore(join(folder, id)),
    async ids() {
      await makeFolder(folder)
      const names = await readdir(folder)
      for (const name of names.filter((each) => each.startsWith(REMOVED))) await rm(join(folder, name), { recursive: true })
      return names.filter(isTaskFolder).sort()
    },
    async remove(id) {
      // Renamed first: a crash leaves either the whole task, or what the next start clears away.
      const gone = join(folder, `${REMOVED}${randomBytes(8).toString('hex')}`)
      await rename(join(folder, id), gone)
      await syncFolder(folder)
      await rm(gone, { recursive: true })
    },
  }
}

/** Whether a folder of that name is one of a task: it is a task id. */
export function isTaskFolder(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)
}
