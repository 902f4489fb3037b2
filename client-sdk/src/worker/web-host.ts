import type { BackendOptions } from '../tfjs/backend.ts'
import type { LocalDataset, LocalTrainer } from '../training/trainer.ts'
import type { Masker } from './masker.ts'
import { RemoteTrainer } from './remote.ts'

/**
 * Trains and masks in a Web Worker, so that the page stays responsive. The data set is sent once, copied, or shared without a copy
 * where its arrays lie on a SharedArrayBuffer. Bundlers find the worker's module by the URL below (webpack 5; Vite with
 * `worker: { format: 'es' }`); `options.wasmPaths` names what they do not find.
 */
export function webWorkerTrainer(dataset: LocalDataset, options: BackendOptions = {}): LocalTrainer & Masker {
  return new RemoteTrainer(dataset, options, (onMessage, onCrash) => {
    const worker = new Worker(new URL('./web.worker.js', import.meta.url), { type: 'module', name: 'fedweave-trainer' })
    worker.onmessage = ({ data }) => onMessage(data)
    worker.onerror = ({ message }) => {
      worker.terminate()
      onCrash(new Error(message || 'its module did not load'))
    }
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      terminate: async () => worker.terminate(),
    }
  })
}
