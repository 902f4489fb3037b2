import { FedweaveError } from '@fedweave/aggregator'

/** How long the lock of a page that is just going, as on a reload, is waited for. */
const PATIENCE_MS = 1500

/**
 * Does `work` while no other tab of this browser runs a client with the same identity. Throws `FL_SESSION_REPLACED` where one
 * does. Without Web Locks, which pages over plain http and pages that may keep no data lack, the server keeps two apart.
 */
export async function inOneTab<T>(identity: string, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
  if (locks === undefined) return work()
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  let granted = false
  try {
    return await locks.request(`fedweave ${identity}`, { signal: patience.signal }, () => {
      granted = true
      clearTimeout(timer)
      return work()
    })
  } catch (error) {
    if (granted) throw error
    if (!patience.signal.aborted) return work() // the browser denies locks
    throw new FedweaveError('FL_SESSION_REPLACED', 'another tab of this browser already takes part in this task')
  }
}
