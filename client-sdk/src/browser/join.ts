import { naclCurves } from '@fedweave/aggregator'
import { TaskClient } from '../client.ts'
import type { ClientEvents } from '../events.ts'
import type { RunSummary } from '../session.ts'
import { socketTransport } from '../transport/socket.ts'
import { webWorkerTrainer } from '../worker/web-host.ts'
import type { FromSession, SessionOrder } from './messages.ts'
import { cachedModels, storeOrMemory } from './store.ts'

const EVENTS = ['phase', 'progress', 'uploaded', 'round', 'warning', 'connection'] as const satisfies (keyof ClientEvents)[]

/** Secrets come from the platform's generator and from nowhere else. */
const entropy = { bytes: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)) }

/** Takes part in a task from this worker; training and masking run in a worker of its own. */
export async function join(
  { url, database, wasmPaths, ...options }: SessionOrder,
  post: (message: FromSession) => void,
  signal: AbortSignal,
): Promise<RunSummary> {
  const store = await storeOrMemory(database, ({ code, message }) =>
    post({ kind: 'event', type: 'warning', event: { code, message } }),
  )
  const client = new TaskClient(options, {
    platform: { runtime: 'browser', curves: naclCurves, entropy },
    store,
    transport: () => cachedModels(socketTransport(url), store),
    trainer: (dataset) => webWorkerTrainer(dataset, wasmPaths === undefined ? {} : { wasmPaths }),
  })
  for (const type of EVENTS) client.on(type, (event) => post({ kind: 'event', type, event } as FromSession))
  return client.run({ signal })
}
