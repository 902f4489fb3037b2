import { Command, Option } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { type Measured, measureParts, megabytes, rounded, within } from './load-parts.ts'

const PARTS = ['idle', 'announce'] as const

export const command = new Command('connections')
  .description('a server in a process of its own under many real connections: its memory, and announcing a round to them')
  .addOption(new Option('--only <part>', 'one part; default: both, one after the other').choices(PARTS))
  .option('--idle <n>', 'idle: clients that have joined and wait', '10000')
  .option('--connected <n>', 'announce: clients that have joined', '4000')
  .option('--cohort <n>', 'announce: of them, clients that the round invites', '100')

/** Memory in MB (1e6 bytes), of the server alone. */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const clients = integerOption('idle', options.idle, 1, 30_000)
  const connected = integerOption('connected', options.connected, 3, 30_000)
  const cohort = integerOption('cohort', options.cohort, 3, Math.min(connected, 10_000))
  return measureParts(options.only, { idle: () => idle(clients), announce: () => announce(connected, cohort) })
}

/** `rssMB` as it stands once all have joined, `collectedMB` after a collection, `emptyMB` likewise before anybody came. */
function idle(clients: number): Promise<Measured> {
  return within({ clients, cohort: { minimum: 3, target: 10 }, rounds: 1, paused: true }, async (scene) => {
    const empty = await scene.measure()
    const from = performance.now()
    await scene.idle(clients)
    const seconds = (performance.now() - from) / 1000
    const { connected, rss, collected } = await scene.measure()
    return {
      clients: connected,
      processes: scene.processes,
      rssMB: megabytes(rss),
      collectedMB: megabytes(collected.rss),
      emptyMB: megabytes(empty.collected.rss),
      heldKBPerClient: rounded((collected.held - empty.collected.held) / clients / 1000),
      joinedPerSecond: Math.round(clients / seconds),
      verified: connected === clients,
    }
  })
}

/** `announceMs`: from opening the round to the moment at which the last invited client has its invitation. */
function announce(connected: number, cohort: number): Promise<Measured> {
  return within({ clients: connected, cohort: { minimum: 3, target: cohort }, rounds: 1, paused: true }, async (scene) => {
    await scene.idle(connected)
    const { connected: there } = await scene.measure()
    const announceMs = rounded(await scene.announce(cohort))
    return { clients: there, cohort, announceMs, verified: there === connected }
  })
}
