import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset } from '../training/trainer.ts'
import { Examples, type InputSpec } from './examples.ts'
import { valuesOf } from './image.ts'

/** Where the examples lie, and how one record becomes one example. */
export interface RecordsOptions {
  readonly database: string
  readonly table: string
  /** Its values, or a picture as a Blob, and its class or number; undefined leaves the record out. */
  readonly read: (record: never) => { readonly x: ArrayLike<number> | Blob; readonly label: number } | undefined
}

/**
 * The records of a table that the page keeps in IndexedDB. Throws `FL_STORAGE_DENIED` where the browser does not give them,
 * `FL_DATASET_SHAPE`, `FL_NON_FINITE` naming the record's key.
 */
export async function fromIndexedDb({ database, table, read }: RecordsOptions, spec: InputSpec): Promise<LocalDataset> {
  const records = await allRecords(database, table)
  const examples = new Examples(spec)
  for (const { key, value } of records) {
    const example = read(value as never)
    if (example === undefined) continue
    const { x, label } = example
    if (!(x instanceof Blob)) {
      examples.add(x, label, key)
      continue
    }
    const picture = await createImageBitmap(x).catch((cause: unknown) => {
      throw new FedweaveError('FL_DATASET_SHAPE', `row ${key}: no image that the browser can read`, { cause })
    })
    examples.add(valuesOf(picture, spec), label, key)
    picture.close()
  }
  return examples.dataset
}

async function allRecords(name: string, table: string): Promise<{ readonly key: string; readonly value: unknown }[]> {
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  let database: IDBDatabase | undefined
  try {
    database = await result(indexedDB.open(name))
    const store = database.transaction(table).objectStore(table)
    const [keys, values] = await Promise.all([result(store.getAllKeys()), result(store.getAll())])
    return values.map((value: unknown, i) => ({ key: String(keys[i]), value }))
  } catch (cause) {
    throw new FedweaveError('FL_STORAGE_DENIED', `the table ${JSON.stringify(table)} of ${JSON.stringify(name)} cannot be read`, {
      cause,
    })
  } finally {
    database?.close()
  }
}
