import * as tf from '@tensorflow/tfjs'
import { softmaxCrossEntropy } from '../training/cross-entropy.ts'
import { Random } from '../training/random.ts'
import type { Probe } from './choose-backend.ts'
import { logitsTopology } from './logits.ts'
import { referenceCnn } from './reference-model.ts'
import { createOptimizer, trainingStep } from './training-step.ts'

const BATCH = 32
const TIMED_STEPS = 3
const plan = { epochs: 1, batchSize: BATCH, optimizer: 'sgd', learningRate: 0.01 } as const

/** Trains the reference CNN on a batch of noise for a few steps, on whatever backend is active. */
export async function probe(): Promise<Probe> {
  const model = (await tf.models.modelFromJSON(JSON.parse(logitsTopology(referenceCnn(1))))) as tf.LayersModel
  const random = new Random(1)
  const xs = Float32Array.from({ length: BATCH * 28 * 28 }, () => random.uint32() / 2 ** 32)
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % 10)
  const optimizer = createOptimizer(plan)
  const losses: number[] = []
  const times: number[] = []
  try {
    for (let step = 0; step <= TIMED_STEPS; step++) {
      const start = performance.now()
      losses.push(trainingStep(model, optimizer, { xs, labels }, softmaxCrossEntropy).loss / BATCH) // reads the loss, so it waits for the GPU
      times.push(performance.now() - start)
    }
    const [median] = times
      .slice(1)
      .sort((a, b) => a - b)
      .slice(TIMED_STEPS >> 1)
    return { stepMs: median as number, losses }
  } finally {
    optimizer.dispose()
    model.dispose()
  }
}
