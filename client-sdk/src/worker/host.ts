import { startWorker } from '@fedweave/aggregator/node'
import type { LocalDataset, LocalTrainer } from '../training/trainer.ts'
import type { Masker } from './masker.ts'
import { RemoteTrainer } from './remote.ts'

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './train.worker.ts' : './train.worker.js', import.meta.url)

/**
 * Trains and masks in a worker thread of Node, so that this thread stays free for sockets and timers. The data set is sent once,
 * copied, or shared without a copy where its arrays lie on a SharedArrayBuffer. Close the trainer: its worker keeps the
 * process alive.
 */
export function workerTrainer(dataset: LocalDataset): LocalTrainer & Masker {
  return new RemoteTrainer(dataset, {}, (onMessage, onCrash) => {
    const worker = startWorker(ENTRY)
    worker.on('message', onMessage)
    worker.on('error', onCrash)
    worker.on('exit', (code) => onCrash(new Error(`it left with code ${code}`)))
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      terminate: async () => void (await worker.terminate()),
    }
  })
}
