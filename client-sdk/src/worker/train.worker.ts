import { type MessagePort, parentPort } from 'node:worker_threads'
import { serveTrainer } from './serve.ts'

const host = parentPort as MessagePort
host.on(
  'message',
  serveTrainer((message, transfer) => host.postMessage(message, transfer)),
)
