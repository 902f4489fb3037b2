import * as tf from '@tensorflow/tfjs'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'
import { localTrainer } from '../../../client-sdk/src/training/local-trainer.ts'
import type { LocalDataset, TrainingRequest } from '../../../client-sdk/src/training/trainer.ts'

interface Asked {
  readonly dataset: LocalDataset
  readonly request: TrainingRequest
  readonly rounds: number
}

/** Trains round after round, and tells after each how many tensors there are. */
globalThis.onmessage = async ({ data: { dataset, request, rounds } }: MessageEvent<Asked>) => {
  await selectBackend({ wasmPaths: '/wasm/' })
  const trainer = localTrainer(dataset)
  const tensors: number[] = []
  for (let round = 0; round < rounds; round++) {
    await trainer.train({ ...request, seed: round })
    tensors.push(tf.memory().numTensors)
  }
  await trainer.close()
  postMessage(tensors)
}
