import { fastestPrg } from '@fedweave/aggregator/wasm'
import type { ToWorker } from './messages.ts'
import { serveTrainer } from './serve.ts'
import { type WorkerScope, workerHost } from './web-scope.ts'

const host: WorkerScope<ToWorker> = workerHost()
const serve = serveTrainer((message, transfer) => host.postMessage(message, transfer), { prg: fastestPrg() })
host.onmessage = ({ data }) => serve(data)
