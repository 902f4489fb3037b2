import { createHash } from 'node:crypto'
import type { Dataset } from '../data/dataset.ts'
import type { Federation } from '../scenarios/scenario.ts'

/** SHA-256 over all examples and labels as they go into training, and over who has them. */
export function dataHashOf({ train, test, natural }: Federation): string {
  const hash = createHash('sha256')
  const add = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  const addDataset = ({ xs, labels, shape }: Dataset) => {
    hash.update(JSON.stringify(shape))
    add(xs)
    add(labels)
  }
  addDataset(train)
  if (test !== train) addDataset(test)
  if (natural !== undefined) {
    add(natural.train)
    add(natural.test)
  }
  return hash.digest('hex')
}
