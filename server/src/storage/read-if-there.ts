import { readFile } from 'node:fs/promises'
import { plain } from './plain.ts'

/** The whole file; undefined where there is none, nor a folder that it could lie in. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return plain(await readFile(path))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
