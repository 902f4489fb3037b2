import { FedweaveError, sha256, toHex } from '@fedweave/aggregator'
import { memoryStore } from '../storage/memory.ts'
import type { ClientStore, Ledger } from '../storage/store.ts'
import type { Transport } from '../transport/transport.ts'
import { type Database, openDatabase } from './idb.ts'

/** What a page keeps: identity, ledgers, and the last models by their hash. */
export interface BrowserStore extends ClientStore {
  /** The bytes under that hash, checked. */
  model(hash: string): Promise<Uint8Array | undefined>
  /** Forgets the models before the one before. A cache: what cannot be kept is fetched again. */
  saveModel(hash: string, bytes: Uint8Array): Promise<void>
}

/** The current model and the one that a running round started from. */
const MODELS_KEPT = 2

/**
 * Everything in the IndexedDB database `name`. Throws `FL_STORAGE_DENIED` where the browser keeps nothing, `FL_KEYSTORE` for an
 * identity or a ledger that is damaged. The seed lies there as the page's other data do: whoever runs script in the page's
 * origin can read it.
 */
export async function indexedDbStore(name: string): Promise<BrowserStore> {
  const database = await openDatabase(name)
  return {
    async identity(create) {
      const kept = await database.get('client', 'identity')
      if (kept instanceof Uint8Array && kept.length === 32) return { seed: kept }
      if (kept !== undefined) throw new FedweaveError('FL_KEYSTORE', "this page's identity is damaged")
      const seed = create()
      await database.put('client', 'identity', seed)
      return { seed }
    },
    async certificate() {
      const kept = await database.get('client', 'certificate')
      return kept instanceof Uint8Array ? kept : undefined
    },
    saveCertificate: (bytes) => database.put('client', 'certificate', bytes),
    async ledger(task) {
      const kept = await database.get('client', `ledger ${task}`)
      if (kept === undefined || isLedger(kept)) return kept
      throw new FedweaveError('FL_KEYSTORE', `this page's ledger of task ${task} is damaged`)
    },
    saveLedger: (task, ledger) => database.put('client', `ledger ${task}`, ledger),
    ...modelCache(database),
  }
}

/** As `indexedDbStore`, or in memory where that is denied: then `denied` hears of it, and a reload makes a new client. */
export async function storeOrMemory(name: string, denied: (error: FedweaveError) => void): Promise<BrowserStore> {
  try {
    return await indexedDbStore(name)
  } catch (error) {
    if (!(error instanceof FedweaveError) || error.code !== 'FL_STORAGE_DENIED') throw error
    denied(error)
    return { ...memoryStore(), model: async () => undefined, saveModel: async () => undefined }
  }
}

/** Models from the store where it has them; those that come from the server are kept there. */
export function cachedModels<T extends Pick<Transport, 'model'>>(
  transport: T,
  store: Pick<BrowserStore, 'model' | 'saveModel'>,
): T {
  return {
    ...transport,
    async model(task, hash, signal) {
      const kept = await store.model(hash)
      if (kept !== undefined) return kept
      const bytes = await transport.model(task, hash, signal)
      await store.saveModel(hash, bytes)
      return bytes
    },
  }
}

function modelCache(database: Database): Pick<BrowserStore, 'model' | 'saveModel'> {
  return {
    async model(hash) {
      const kept = await database.get('models', hash).catch(() => undefined)
      return isModel(kept) && toHex(sha256(kept.bytes)) === hash ? kept.bytes : undefined
    },
    async saveModel(hash, bytes) {
      try {
        const others = await Promise.all(
          (await database.keys('models')).map(async (key) => [key, await database.get('models', key)]),
        )
        const newest = others
          .filter(([key]) => key !== hash)
          .map(([key, value]) => ({ key: key as string, order: isModel(value) ? value.order : 0 }))
          .sort((a, b) => b.order - a.order)
        for (const { key } of newest.slice(MODELS_KEPT - 1)) await database.delete('models', key)
        await database.put('models', hash, { bytes, order: (newest[0]?.order ?? 0) + 1 })
      } catch (error) {
        if (!(error instanceof FedweaveError)) throw error // no room: it is fetched again
      }
    },
  }
}

function isModel(value: unknown): value is { readonly bytes: Uint8Array; readonly order: number } {
  const { bytes, order } = (value ?? {}) as { bytes?: unknown; order?: unknown }
  return bytes instanceof Uint8Array && typeof order === 'number'
}

function isLedger(value: unknown): value is Ledger {
  const { highestRound, spent } = (value ?? {}) as Partial<Ledger>
  return Number.isSafeInteger(highestRound) && Array.isArray(spent)
}
