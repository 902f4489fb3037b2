import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { expander } from './secagg-floor.ts'

const host = parentPort as MessagePort
const expand = expander(workerData)
host.postMessage('ready')
host.on('message', (streams: number) => {
  expand(streams)
  host.postMessage('done')
})
