import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TrainingPlan } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, it } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import { Random } from '../../../client-sdk/src/training/random.ts'
import { describeLayers, seeded } from './models.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is alive: tensors, data on the backend, the backend's memory, and what JavaScript holds after a collection. */
function alive() {
  collectGarbage()
  const { numTensors, numDataBuffers } = tf.memory()
  const { wasm, numDataIds } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array }; numDataIds(): number }
  const held = { numTensors, numDataBuffers, dataIds: numDataIds.call(tf.backend()), wasmBytes: wasm.HEAPU8.length }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { held, heap: heapUsed + arrayBuffers }
}

beforeAll(() => selectBackend())

it('50 rounds with all that a plan can ask for leave no tensor behind, and both heaps flat', async () => {
  const { model, weights } = await describeLayers(
    tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(1) }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.2 }),
    tf.layers.dense({ units: 512, activation: 'relu', kernelInitializer: seeded(3) }),
    tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(2) }),
  )
  const random = new Random(1)
  const dataset = {
    xs: Float32Array.from({ length: 60 * 64 }, () => random.uint32() / 2 ** 32),
    shape: [8, 8, 1],
    labels: Int32Array.from({ length: 60 }, () => random.below(3)),
  }
  const plan: TrainingPlan = {
    epochs: 2,
    batchSize: 16,
    optimizer: 'adamw',
    learningRate: 0.01,
    decay: { kind: 'cosine' },
    proximal: 0.1,
    validation: { fraction: 0.2 },
    patience: 1,
    normalise: {},
    augment: { shift: 1, rotate: 10, noise: 0.1 },
  }
  const trainer = localTrainer(dataset)
  const rounds = async (from: number, to: number) => {
    for (let seed = from; seed < to; seed++) {
      await trainer.train({ model, weights, plan, seed })
      await trainer.evaluate({ model, weights, plan })
    }
  }
  await rounds(0, 10) // what is made once, code included, is made now
  const before = alive()
  await rounds(10, 60)
  const after = alive()
  expect(after.held).toEqual(before.held)
  const round = weights.byteLength // a delta, to say nothing of batches and graphs
  expect(after.heap - before.heap).toBeLessThan(25 * round)
  await trainer.close()
})
