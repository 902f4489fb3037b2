import type { ModelSpec } from '@fedweave/aggregator'
import type * as tf from '@tensorflow/tfjs'
import { selectBackend } from './backend.ts'
import type { Backend } from './choose-backend.ts'
import { trainedTopology } from './logits.ts'
import { buildModel } from './model.ts'

/**
 * Models for training, a classifier up to its logits, built once and lent out one round at a time. Trainers of many clients in one
 * thread can share a pool: it holds as many models as rounds ran at once, not as many as there are clients.
 */
export class ModelPool {
  readonly #idle = new Map<string, tf.LayersModel[]>()
  /** What the idle models lie on. */
  #backend: Backend | undefined
  #closed = false

  /** Lends a model of `spec` to `use`. Its weights are whatever the last borrower left: set them first. */
  async lend<T>(spec: ModelSpec, use: (model: tf.LayersModel) => Promise<T>): Promise<T> {
    const backend = await selectBackend()
    if (this.#backend !== backend) this.#dropIdle()
    this.#backend = backend
    const key = JSON.stringify(spec)
    const model = this.#idle.get(key)?.pop() ?? (await buildModel({ ...spec, topology: trainedTopology(spec) }))
    try {
      return await use(model)
    } finally {
      if (this.#closed || this.#backend !== backend) model.dispose()
      else this.#idle.set(key, [...(this.#idle.get(key) ?? []), model])
    }
  }

  /** Disposes of the idle models now and of lent ones as they come back. */
  close(): void {
    this.#closed = true
    this.#dropIdle()
  }

  #dropIdle(): void {
    for (const model of [...this.#idle.values()].flat()) model.dispose()
    this.#idle.clear()
  }
}
