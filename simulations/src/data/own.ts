import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import type { Federation } from '../scenarios/scenario.ts'
import { numberAt, parseCsv } from './csv.ts'
import type { Dataset } from './dataset.ts'
import { imageFolders } from './image-folders.ts'
import { toDataset } from './matrix.ts'
import { parseNpy } from './npy.ts'

/**
 * Data of one's own. A CSV file: a column `label`, or else the last one, holds classes, a column `client`, if there is one, who has the
 * row, and all others numbers. A folder with `x.npy`, `y.npy` and, if clients are known, `client.npy`. A folder
 * of folders of PNG or JPEG images, each named as its class. Throws `FL_DATASET_SHAPE` saying what does not fit.
 */
export async function ownData(path: string): Promise<Federation> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new FedweaveError('FL_DATASET_UNAVAILABLE', `${path} cannot be read`, {
      cause,
      cure: 'Give the path of a CSV file or a folder.',
    })
  })
  if (found.isFile()) return fromCsv(await readFile(path, 'utf8'), basename(path))
  const names = await readdir(path)
  return names.includes('x.npy') ? fromNpy(path, names) : imageFolders(path)
}

function fromCsv(text: string, name: string): Federation {
  const table = parseCsv(text, name)
  const { columns, rows } = table
  const label = columns.includes('label') ? columns.indexOf('label') : columns.length - 1
  const client = columns.indexOf('client')
  const inputs = [...columns.keys()].filter((column) => column !== label && column !== client)
  if (rows.length === 0 || inputs.length === 0) throw new FedweaveError('FL_DATASET_SHAPE', `${name} has no rows, or no inputs`)
  const classes = enumerate(rows.map((row) => row[label] as string))
  const clients = client < 0 ? undefined : enumerate(rows.map((row) => row[client] as string))
  const values = rows.map((_, row) => inputs.map((column) => numberAt(table, row, column, name)))
  return federation(toDataset({ inputs: values, labels: classes.places }, classes.names.length), classes.names, clients)
}

async function fromNpy(folder: string, names: readonly string[]): Promise<Federation> {
  const read = async (name: string) => parseNpy(new Uint8Array(await readFile(join(folder, name))), name)
  const [x, y] = [await read('x.npy'), await read('y.npy')]
  const [examples = 0, ...shape] = x.shape
  if (y.shape.length !== 1 || y.shape[0] !== examples || examples === 0)
    throw new FedweaveError(
      'FL_DATASET_SHAPE',
      `x.npy has the shape [${x.shape.join(', ')}] and y.npy [${y.shape.join(', ')}]: expected one label an example`,
    )
  const classes = enumerate([...y.values].map(String))
  const clients = names.includes('client.npy') ? enumerate([...(await read('client.npy')).values].map(String)) : undefined
  if (clients !== undefined && clients.places.length !== examples)
    throw new FedweaveError('FL_DATASET_SHAPE', `client.npy names ${clients.places.length} clients for ${examples} examples`)
  // Images without a channel axis get one: layers that fold expect it.
  const full = shape.length === 0 ? [1] : shape.length === 2 ? [...shape, 1] : shape
  const labels = Int32Array.from(classes.places)
  return federation({ xs: x.values, shape: full, labels, classes: classes.names.length }, classes.names, clients)
}

function federation(all: Dataset, classNames: readonly string[], clients: Enumerated | undefined): Federation {
  if (all.classes < 2)
    throw new FedweaveError('FL_DATASET_SHAPE', `all examples are of the class ${classNames[0]}: expected two classes or more`)
  const ids = clients && Int32Array.from(clients.places)
  return {
    train: all,
    test: all,
    classNames,
    ...(ids === undefined ? {} : { natural: { names: clients?.names ?? [], train: ids, test: ids } }),
  }
}

interface Enumerated {
  readonly names: readonly string[]
  readonly places: readonly number[]
}

/** The different values, in the order of numbers or else of letters, and the place of each one among them. */
function enumerate(values: readonly string[]): Enumerated {
  const names = [...new Set(values)].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
  const places = new Map(names.map((name, i) => [name, i]))
  return { names, places: values.map((value) => places.get(value) as number) }
}
