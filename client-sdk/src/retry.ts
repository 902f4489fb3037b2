import { FedweaveError } from '@fedweave/aggregator'

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

/** Tries `work` until it succeeds or `signal` aborts, with growing pauses; throws what cannot pass. */
export async function retryWhatPasses<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted || !(error instanceof FedweaveError) || !PASSING.has(error.code)) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
