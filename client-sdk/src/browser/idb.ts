import { FedweaveError } from '@fedweave/aggregator'

/** Two tables of one IndexedDB database: what must not be lost, and models, which can be fetched again. */
export const TABLES = ['client', 'models'] as const
export type Table = (typeof TABLES)[number]

export interface Database {
  get(table: Table, key: string): Promise<unknown>
  keys(table: Table): Promise<string[]>
  /** Durable when it resolves. Throws `FL_STORAGE_DENIED` where there is no room. */
  put(table: Table, key: string, value: unknown): Promise<void>
  delete(table: Table, key: string): Promise<void>
}

/** Throws `FL_STORAGE_DENIED` where the browser keeps nothing for this page. */
export async function openDatabase(name: string): Promise<Database> {
  const database = await attempt('opened', () => {
    const request = indexedDB.open(name, 1) // in some frames the mere name `indexedDB` throws
    request.onupgradeneeded = () => {
      for (const table of TABLES) request.result.createObjectStore(table)
    }
    return result(request)
  })
  database.onversionchange = () => database.close() // another tab deletes it
  const read = (table: Table) => database.transaction(table).objectStore(table)
  const change = (table: Table, work: (store: IDBObjectStore) => void) =>
    attempt('written', async () => {
      const transaction = database.transaction(table, 'readwrite', { durability: table === 'client' ? 'strict' : 'relaxed' })
      work(transaction.objectStore(table))
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
    })
  return {
    get: (table, key) => attempt('read', () => result(read(table).get(key))),
    keys: (table) => attempt('read', async () => (await result(read(table).getAllKeys())).map(String)),
    put: (table, key, value) => change(table, (store) => store.put(value, key)),
    delete: (table, key) => change(table, (store) => store.delete(key)),
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new FedweaveError('FL_STORAGE_DENIED', `the storage of this page cannot be ${what}: ${String(cause)}`, { cause })
  }
}
