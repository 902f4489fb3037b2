import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '@fedweave/aggregator'
import { createFile, makeFolder } from '@fedweave/aggregator/node'

/**
 * Takes one of the `most` numbered places in `folder` for `holder`, durably and for good; the same holder keeps its place. A
 * place is a file that only one process can make, so a server and an enrolment process on one folder never give one twice.
 * Whether the holder has a place.
 */
export async function takePlace(folder: string, most: number, holder: string): Promise<boolean> {
  await makeFolder(folder)
  for (let place = 1; place <= most; place++) {
    const path = join(folder, String(place))
    const taken = await holderOf(path)
    if (taken === holder) return true
    if (taken !== undefined) continue
    if (await createFile(path, utf8(holder))) return true
    if ((await holderOf(path)) === holder) return true // it asked twice at once
  }
  return false
}

async function holderOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
