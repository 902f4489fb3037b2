import type { IncomingHttpHeaders } from 'node:http'
import { FedweaveError } from '@fedweave/aggregator'

/**
 * Refuses a page of an origin that is neither the server's own nor listed. Browsers name the origin truthfully; programs send
 * none. Websockets need this check: browsers let any page open one to anywhere. Throws `FL_ORIGIN_REFUSED`.
 */
export function checkOrigin({ origin, host }: IncomingHttpHeaders, listed: readonly string[]): void {
  if (origin === undefined || listed.includes('*') || listed.includes(origin)) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new FedweaveError('FL_ORIGIN_REFUSED', `pages of ${JSON.stringify(origin.slice(0, 200))} may not use this server`)
}
