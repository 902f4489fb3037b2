import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { utf8, wipe } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import { createFile, makeFolder, replaceFile } from './durable.ts'
import { decodeKey, encodeKey, SEED_BYTES } from './key-format.ts'

export interface KeyFileOptions {
  /** Encrypts the seed at rest. */
  readonly passphrase?: string
  /** Draws the 32-byte seed where there is no file yet. */
  readonly create: () => Uint8Array
}

export interface LoadedKey {
  readonly seed: Uint8Array
  /** Whether this call made the key. */
  readonly created: boolean
  /** A sentence for whoever runs the program, when the key lies on the disk in the clear. */
  readonly warning?: string
}

/**
 * The long-term key at `path`, made durably with mode 0600 (its folder with 0700) where there is none. Of several
 * processes that make it at once, one wins and all get its key. A plain file is encrypted the first time that a passphrase
 * is given; the old bytes may stay on the disk until they are overwritten.
 *
 * Throws `FL_KEYSTORE`: wrong or missing passphrase, damaged file, or a plain file that other users can read. Like
 * OpenSSH this refuses rather than warns: such a key must count as known to them. An encrypted file may be readable.
 */
export async function loadOrCreateKey(path: string, { passphrase, create }: KeyFileOptions): Promise<LoadedKey> {
  if (passphrase === '') throw new FedweaveError('FL_KEYSTORE', `the passphrase for ${path} is empty`)
  try {
    const key = (await load(path, passphrase)) ?? (await make(path, passphrase, create)) ?? (await load(path, passphrase))
    if (key === undefined) throw new Error('it is neither there nor can it be made') // a link to nothing
    return key
  } catch (cause) {
    if (cause instanceof FedweaveError) throw cause
    const cure = 'Check that the folder exists and that this user may write to it.'
    throw new FedweaveError('FL_KEYSTORE', `cannot use ${path}: ${(cause as Error).message}`, { cause, cure })
  }
}

async function load(path: string, passphrase: string | undefined): Promise<LoadedKey | undefined> {
  const file = await readPrivate(path)
  if (file === undefined) return undefined
  const { seed, encrypted } = await decodeKey(file.text, passphrase, path)
  if (encrypted) return { seed, created: false }
  if (file.exposed) {
    wipe(seed)
    throw new FedweaveError('FL_KEYSTORE', `other users can read ${path}, which holds a key in the clear`, {
      cure: `Treat the key as known and move the file away to make another; or, if nobody read it, run \`chmod 600 ${path}\`.`,
    })
  }
  if (passphrase !== undefined) await replaceFile(path, utf8(await encodeKey(seed, passphrase)))
  return { seed, created: false, ...warning(path, passphrase) }
}

/** Undefined when another process was first. */
async function make(path: string, passphrase: string | undefined, create: () => Uint8Array): Promise<LoadedKey | undefined> {
  const seed = create()
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed is ${SEED_BYTES} bytes, got ${seed.length}`)
  await makeFolder(dirname(path))
  if (!(await createFile(path, utf8(await encodeKey(seed, passphrase))))) return undefined
  return { seed, created: true, ...warning(path, passphrase) }
}

function warning(path: string, passphrase: string | undefined): { warning?: string } {
  if (passphrase !== undefined) return {}
  return { warning: `${path} holds a key in the clear (mode 0600); give a passphrase to encrypt it` }
}

/** A text file, and whether other users can read it, too; undefined where there is none. */
export async function readPrivate(path: string): Promise<{ readonly text: string; readonly exposed: boolean } | undefined> {
  try {
    const handle = await open(path, 'r')
    try {
      const { mode } = await handle.stat()
      // Windows has no such bits and shows 0666 for every file.
      return { text: await handle.readFile('utf8'), exposed: process.platform !== 'win32' && (mode & 0o077) !== 0 }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
