import { FedweaveError } from '@fedweave/aggregator'
import type { RunSummary } from '../session.ts'
import type { FromSession, ReadOrder, SessionOrder, TaskRecord, ToSession, WeightsOrder } from './messages.ts'

type SessionEvent = Extract<FromSession, { kind: 'event' }>
type Order = Extract<ToSession, { order: unknown }>

/**
 * One session in a worker of its own, from joining to the end of the task, or until `signal` ends it. Rejects with the typed
 * error that ended it; `FL_TRAINER_CRASHED` when the worker died.
 */
export function runSession(
  order: SessionOrder,
  signal: AbortSignal,
  onEvent: (event: SessionEvent) => void,
): Promise<RunSummary> {
  return inWorker({ kind: 'start', order }, signal, onEvent) as Promise<RunSummary>
}

/** A task's public record, read and checked in a worker of its own. Throws as `readTask` does. */
export function readInWorker(order: ReadOrder): Promise<TaskRecord> {
  return inWorker({ kind: 'read', order }, new AbortController().signal, () => undefined) as Promise<TaskRecord>
}

/** A model of the task, fetched and checked in a worker of its own. Throws as `readWeights` does. */
export function weightsInWorker(order: WeightsOrder): Promise<Float32Array> {
  return inWorker({ kind: 'weights', order }, new AbortController().signal, () => undefined) as Promise<Float32Array>
}

async function inWorker(
  order: Order,
  signal: AbortSignal,
  onEvent: (event: SessionEvent) => void,
): Promise<RunSummary | TaskRecord | Float32Array> {
  const worker = new Worker(new URL('./session.worker.js', import.meta.url), { type: 'module', name: 'fedweave-session' })
  const send = (message: ToSession) => worker.postMessage(message)
  const stop = () => send({ kind: 'stop' })
  const offline = () => send({ kind: 'offline' })
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = ({ message }) =>
        reject(new FedweaveError('FL_TRAINER_CRASHED', `the client's worker died: ${message || 'its module did not load'}`))
      worker.onmessage = ({ data }: MessageEvent<FromSession>) => {
        if (data.kind === 'event') onEvent(data)
        else if (data.kind === 'done') resolve(data.result)
        else reject(new FedweaveError(data.error.code, data.error.message, { cure: data.error.cure }))
      }
      send(order)
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop, { once: true })
      globalThis.addEventListener('offline', offline)
    })
  } finally {
    signal.removeEventListener('abort', stop)
    globalThis.removeEventListener('offline', offline)
    worker.terminate()
  }
}
