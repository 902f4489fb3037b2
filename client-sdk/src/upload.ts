import { retryWhatPasses } from './retry.ts'
import type { Transport } from './transport/transport.ts'

export interface PendingUpload {
  readonly task: string
  readonly context: string
  /** Token of the session that stands when asked: it changes with each reconnection. */
  readonly session: () => string
  readonly sealed: Uint8Array
}

/**
 * Sends the same bytes until they count, or the round ends (`signal`). Throws what cannot pass; a round that closed
 * before the upload arrived is not an error here, the round's own messages tell that.
 */
export function uploadUntilCounted(transport: Transport, pending: PendingUpload, signal: AbortSignal): Promise<void> {
  return retryWhatPasses(() => transport.upload({ ...pending, session: pending.session() }, signal), signal)
}
