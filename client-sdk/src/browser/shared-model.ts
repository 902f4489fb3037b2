import { taskId } from '@fedweave/aggregator'
import { blankLabels } from '../training/labels.ts'
import type { LocalTrainer } from '../training/trainer.ts'
import { baseUrl } from '../transport/http.ts'
import { webWorkerTrainer } from '../worker/web-host.ts'
import { readInWorker, weightsInWorker } from './attempt.ts'
import type { ReadOrder, TaskRecord } from './messages.ts'
import { databaseOf, placesOf, type WasmPaths } from './paths.ts'

export interface SharedModelOptions {
  /** The server's http or https URL. */
  readonly url: string
  readonly task: string
  /** Hex, from the operator over another channel: what it did not sign is refused. */
  readonly operatorKey: string
  /** As for `FederatedClient`: models that one has fetched the other need not. */
  readonly database?: string
  readonly wasmPaths?: WasmPaths
}

/**
 * The model that a task's clients have trained so far, for whoever wants to use it, client or not. Everything is read and checked, and
 * examples are classified, in workers. Examples never leave the page.
 */
export class SharedModel {
  readonly #order: ReadOrder
  readonly #trainer: LocalTrainer
  #record: TaskRecord
  #weights: Promise<Float32Array> | undefined

  private constructor(order: ReadOrder, record: TaskRecord, wasmPaths: WasmPaths | undefined) {
    this.#order = order
    this.#record = record
    const none = { xs: new Float32Array(0), labels: blankLabels(record.model, 0), shape: record.model.inputShape }
    this.#trainer = webWorkerTrainer(none, placesOf(wasmPaths))
  }

  /** Reads the task's record; its model is fetched when it is first used. Throws `FL_SERVER_UNREACHABLE`, `FL_TASK_UNKNOWN`, `FL_PIN_MISMATCH`. */
  static async open({ url: raw, task, operatorKey, database, wasmPaths }: SharedModelOptions): Promise<SharedModel> {
    const url = baseUrl(raw).href
    const named = database === undefined ? { url } : { url, database }
    const order = { url, task: taskId(task), operatorKey, database: databaseOf(named) }
    return new SharedModel(order, await readInWorker(order), wasmPaths)
  }

  /** As it was when it was last read. */
  get record(): TaskRecord {
    return this.#record
  }

  /**
   * Reads it again, and says whether there is another model than before; fetches that where the one before was in use. Where
   * either fails all stays as it was, and so goes on offline.
   */
  async refresh(): Promise<boolean> {
    const record = await readInWorker(this.#order)
    const changed = record.modelHash !== this.#record.modelHash
    if (changed && this.#weights !== undefined) {
      const weights = await this.#fetch(record)
      this.#weights = Promise.resolve(weights)
    }
    this.#record = record
    return changed
  }

  /**
   * Probabilities of all classes, or a regressor's one estimate, for one example after the other. `xs`: their values, each example in the shape
   * `record.model.inputShape`. Throws `FL_DATASET_SHAPE`, `FL_NON_FINITE` naming the row, `FL_DEPENDENCY_MISSING`.
   */
  async predict(xs: Float32Array): Promise<Float32Array[]> {
    const { model, plan } = this.#record
    const all = await this.#trainer.predict({ model, weights: await this.weights(), xs, plan })
    return Array.from({ length: all.length / model.classes }, (_, i) => all.slice(i * model.classes, (i + 1) * model.classes))
  }

  /** The model's parameters, the tensors of `record.model` one after the other. Throws `FL_MODEL_HASH`, `FL_SERVER_UNREACHABLE`. */
  weights(): Promise<Float32Array> {
    this.#weights ??= this.#fetch(this.#record).catch((error: unknown) => {
      this.#weights = undefined // the next call tries again
      throw error
    })
    return this.#weights
  }

  /** The model as TensorFlow.js loads it: `tf.loadLayersModel` of `model.json`, with `weights.bin` beside it. */
  async files(): Promise<{ readonly 'model.json': string; readonly 'weights.bin': Uint8Array<ArrayBuffer> }> {
    const { model } = this.#record
    const listed = model.tensors.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }))
    const manifest = {
      format: 'layers-model',
      generatedBy: 'fedweave',
      modelTopology: JSON.parse(model.topology) as unknown,
      weightsManifest: [{ paths: ['weights.bin'], weights: listed }],
    }
    const weights = await this.weights()
    return { 'model.json': JSON.stringify(manifest), 'weights.bin': new Uint8Array(weights.slice().buffer) }
  }

  #fetch({ modelHash }: TaskRecord): Promise<Float32Array> {
    const { url, task, database } = this.#order
    return weightsInWorker({ url, task, database, modelHash })
  }

  /** Frees the worker; the record stays. Later predictions throw `FL_STOPPED`. */
  close(): Promise<void> {
    return this.#trainer.close()
  }
}
