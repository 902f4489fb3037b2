import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { FedweaveError } from '@fedweave/aggregator'
import type { GrowingBuffer } from './growing-buffer.ts'
import { Pace, type PaceLimits } from './pace.ts'

export interface ReceiveOptions {
  /** Gives the upload up, for one when its round ends. */
  readonly signal?: AbortSignal
  /** Called with the size of each chunk as it arrives. */
  readonly onBytes?: (count: number) => void
}

/** Fills `buffer` from `stream`; errors as in `Staging.receive`. Whatever the outcome, no timer and no listener is left. */
export function collect(
  stream: Readable,
  buffer: GrowingBuffer,
  limits: PaceLimits,
  options: ReceiveOptions,
): Promise<Uint8Array> {
  const { signal, onBytes } = options
  return new Promise((resolve, reject) => {
    const pace = new Pace(limits, fail)
    stream.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone)
    if (signal !== undefined) setMaxListeners(0, signal) // all uploads of a round share its signal
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    else if (stream.destroyed || stream.readableEnded) onGone()

    function onData(chunk: Uint8Array): void {
      pace.count(chunk.length)
      const arrived = buffer.length + chunk.length
      if (arrived > buffer.expected) fail(wrongSize(`${arrived} or more`))
      else {
        buffer.push(chunk)
        onBytes?.(chunk.length)
      }
    }
    function onEnd(): void {
      if (buffer.length < buffer.expected) fail(wrongSize(`${buffer.length}`))
      else {
        stop()
        resolve(buffer.whole())
      }
    }
    function onGone(): void {
      fail(wrongSize(`${buffer.length} before the connection closed`))
    }
    function onAbort(): void {
      fail(signal?.reason instanceof FedweaveError ? signal.reason : new FedweaveError('FL_STOPPED', 'the upload was given up'))
    }
    function wrongSize(got: string): FedweaveError {
      return new FedweaveError('FL_UPDATE_SHAPE', `expected ${buffer.expected} bytes, got ${got}`)
    }
    function fail(error: FedweaveError): void {
      stop()
      reject(error)
    }
    function stop(): void {
      pace.stop()
      stream.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      signal?.removeEventListener('abort', onAbort)
    }
  })
}
