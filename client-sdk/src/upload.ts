import { FedweaveError } from '@fedweave/aggregator'
import type { Transport } from './transport/transport.ts'

export interface PendingUpload {
  readonly task: string
  readonly context: string
  /** Token of the session that stands when asked: it changes with each reconnection. */
  readonly session: () => string
  readonly sealed: Uint8Array
}

/** Causes that pass: a broken connection, a full or slow server, one that asks for patience, a session that is being renewed. */
const PASSING = new Set([
  'FL_SERVER_UNREACHABLE',
  'FL_STAGING_FULL',
  'FL_UPLOAD_TIMEOUT',
  'FL_RATE_LIMITED',
  'FL_SERVER_BUSY',
  'FL_SESSION_INVALID',
])
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8000

/**
 * Sends the same bytes until they count, or the round ends (`signal`). Throws what cannot pass; a round that closed
 * before the upload arrived is not an error here, the round's own messages tell that.
 */
export async function uploadUntilCounted(transport: Transport, pending: PendingUpload, signal: AbortSignal): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await transport.upload({ ...pending, session: pending.session() }, signal)
    } catch (error) {
      if (signal.aborted || !(error instanceof FedweaveError) || !PASSING.has(error.code)) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
