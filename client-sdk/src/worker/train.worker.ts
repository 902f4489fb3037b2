import { type MessagePort, parentPort } from 'node:worker_threads'
import { fastestPrg, fastestSecretbox } from '@fedweave/aggregator/node'
import { serveTrainer } from './serve.ts'

const host = parentPort as MessagePort
const tools = { prg: fastestPrg(), secretbox: await fastestSecretbox() }
host.on(
  'message',
  serveTrainer((message, transfer) => host.postMessage(message, transfer), tools),
)
