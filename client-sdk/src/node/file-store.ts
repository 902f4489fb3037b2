import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FedweaveError, fromHex, taskId, toHex } from '@fedweave/aggregator'
import { loadOrCreateKey } from '@fedweave/aggregator/node'
import type { ClientStore, Ledger } from '../storage/store.ts'

export interface FileStoreOptions {
  /** Encrypts the identity key at rest; without it the key lies in a 0600 file, and a warning says so. */
  readonly passphrase?: string
}

/** A client's identity and ledgers in one folder, mode 0700. Every write is atomic and durable. */
export function fileStore(folder: string, options: FileStoreOptions = {}): ClientStore {
  const certificatePath = join(folder, 'certificate.hex')
  const ledgerPath = (task: string) => join(folder, `ledger-${taskId(task)}.json`)
  return {
    async identity(create) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const { passphrase } = options
      return loadOrCreateKey(join(folder, 'identity.key'), { create, ...(passphrase === undefined ? {} : { passphrase }) })
    },
    async certificate() {
      const text = await readOrUndefined(certificatePath)
      return text === undefined ? undefined : fromHex(text.trim())
    },
    saveCertificate: (bytes) => writeDurably(certificatePath, `${toHex(bytes)}\n`),
    async ledger(task) {
      const path = ledgerPath(task)
      const text = await readOrUndefined(path)
      return text === undefined ? undefined : parseLedger(text, path)
    },
    saveLedger: (task, ledger) => writeDurably(ledgerPath(task), `${JSON.stringify(ledger)}\n`),
  }
}

/** A damaged ledger stops the client: without it, an update could leave twice on one model. */
function parseLedger(text: string, path: string): Ledger {
  try {
    const ledger = JSON.parse(text) as Ledger
    if (Number.isSafeInteger(ledger.highestRound) && Array.isArray(ledger.spent)) return ledger
  } catch {
    // told below, with the same cure
  }
  throw new FedweaveError('FL_KEYSTORE', `the ledger ${path} is damaged`)
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes beside the file, fsyncs, renames, fsyncs the folder: after a crash the file is the old or the new one, whole. */
async function writeDurably(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const beside = `${path}.${process.pid}.tmp`
  const file = await open(beside, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
