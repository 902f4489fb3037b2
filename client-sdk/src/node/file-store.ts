import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FedweaveError, fromHex, taskId, toHex, utf8 } from '@fedweave/aggregator'
import { loadOrCreateKey, makeFolder, replaceFile } from '@fedweave/aggregator/node'
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
      await makeFolder(folder)
      const { passphrase } = options
      return loadOrCreateKey(join(folder, 'identity.key'), { create, ...(passphrase === undefined ? {} : { passphrase }) })
    },
    async certificate() {
      const text = await readOrUndefined(certificatePath)
      return text === undefined ? undefined : fromHex(text.trim())
    },
    saveCertificate: (bytes) => replaceFile(certificatePath, utf8(`${toHex(bytes)}\n`)),
    async ledger(task) {
      const path = ledgerPath(task)
      const text = await readOrUndefined(path)
      return text === undefined ? undefined : parseLedger(text, path)
    },
    saveLedger: (task, ledger) => replaceFile(ledgerPath(task), utf8(`${JSON.stringify(ledger)}\n`)),
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
