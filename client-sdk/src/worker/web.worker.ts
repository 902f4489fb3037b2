import { fastestPrg } from '@fedweave/aggregator/wasm'
import { serveTrainer } from './serve.ts'

/** What a dedicated worker's global scope offers; the DOM library describes a window's. */
interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
  reportError(error: unknown): void
}

const host = globalThis as unknown as WorkerScope
const serve = serveTrainer((message, transfer) => host.postMessage(message, transfer), { prg: fastestPrg() })
host.onmessage = ({ data }) => serve(data)
// An unhandled rejection does not reach the host by itself, as in Node; an error does.
globalThis.addEventListener('unhandledrejection', ({ reason }) => host.reportError(reason))
