import type { Readable } from 'node:stream'

const LINGER_MS = 2_000

/**
 * Reads on and throws away what a refused client still sends: at most `bytes` and for two seconds, then destroys the
 * stream. Closing at once would reset the connection under the client's hands, and it would see a network error instead
 * of the reason for the refusal. The caller listens for errors.
 */
export function discardRest(stream: Readable, bytes: number): void {
  let left = bytes
  const destroy = () => stream.destroy()
  if (stream.destroyed || stream.readableEnded) return
  const timer = setTimeout(destroy, LINGER_MS)
  const done = () => clearTimeout(timer)
  stream.on('data', (chunk: Uint8Array) => {
    left -= chunk.length
    if (left < 0) destroy()
  })
  stream.once('end', done)
  stream.once('close', done)
  stream.resume()
}
