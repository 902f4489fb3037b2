import { mkdir, writeFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { referenceCnn } from '@fedweave/client/reference-model'

/** The module that the server's evaluation loads; in the checkout a source, else what was built from it. */
const TEST_IMAGES = new URL(`../data/mnist-test${extname(import.meta.url)}`, import.meta.url).href

/** What of the MNIST task may differ from the defaults of a task's config. */
export type TaskOverrides = Readonly<Record<string, unknown>>

/**
 * The reference task: MNIST on the reference CNN (Conv2D 32 3x3, MaxPool 2x2, Dense 128, Dense 10; 693,962 parameters),
 * Adam, batches of 32, evaluated on the 10,000 test images. Writes the model's topology into `folder`, and returns the
 * task as a server's config holds it.
 */
export async function writeMnistTask(folder: string, overrides: TaskOverrides): Promise<Record<string, unknown>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const topology = resolve(join(folder, 'reference-cnn.json'))
  await writeFile(topology, referenceCnn(1))
  return { id: 'mnist', model: { topology }, evaluation: { module: TEST_IMAGES }, ...overrides }
}
