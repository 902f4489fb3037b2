import { fewestClients, type TaskConfig } from '@fedweave/aggregator'
import type { Members } from './members.ts'

/** What a task has before it: rounds; none until clients report new data; none any more. */
export type Outlook = 'rounds' | 'resting' | 'finished'

/**
 * `committed`: rounds so far. It follows from the journal and from what connected clients reported, which they repeat when they
 * reconnect: so a restart loses nothing.
 */
export function outlookOf(config: TaskConfig, committed: number, members: Pick<Members, 'reports'>): Outlook {
  if (config.continuous !== true) return committed < config.rounds ? 'rounds' : 'finished'
  const betweenBursts = committed > 0 && committed % config.rounds === 0
  return betweenBursts && members.reports < fewestClients(config) ? 'resting' : 'rounds'
}
