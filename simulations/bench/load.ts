import { Command, Option } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { Scene } from './load-scene.ts'

const PARTS = ['idle', 'announce', 'clients', 'rounds'] as const
type Part = (typeof PARTS)[number]

export const command = new Command('load')
  .description(
    'a server in a process of its own under many real connections: memory, announcing a round, a large round, many rounds',
  )
  .addOption(new Option('--only <part>', 'one part; default: all, one after the other').choices(PARTS))
  .option('--idle <n>', 'idle: clients that have joined and wait', '10000')
  .option('--connected <n>', 'announce: clients that have joined', '4000')
  .option('--cohort <n>', 'announce: of them, clients that the round invites', '100')
  .option('--clients <n>', 'clients: whole clients, all in one secure round', '200')
  .option('--rounds <n>', 'rounds: secure rounds of three clients, one after the other', '500')

interface Sizes {
  readonly idle: number
  readonly connected: number
  readonly cohort: number
  readonly clients: number
  readonly rounds: number
}

/** What a part measured; `verified`: whether everybody was there who should be, and every round was committed. */
type Measured = Record<string, unknown> & { readonly verified: boolean }

/** Memory in MB (1e6 bytes), of the server alone. */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const connected = integerOption('connected', options.connected, 3, 30_000)
  const sizes: Sizes = {
    idle: integerOption('idle', options.idle, 1, 30_000),
    connected,
    cohort: integerOption('cohort', options.cohort, 3, Math.min(connected, 10_000)),
    clients: integerOption('clients', options.clients, 3, 1000),
    rounds: integerOption('rounds', options.rounds, 5, 100_000),
  }
  const result: Record<string, Measured> = {}
  for (const part of PARTS) if (options.only === undefined || options.only === part) result[part] = await MEASURE[part](sizes)
  return { ...result, verified: Object.values(result).every(({ verified }) => verified) }
}

const MEASURE: Readonly<Record<Part, (sizes: Sizes) => Promise<Measured>>> = {
  /** `rssMB` as it stands once all have joined, `collectedMB` after a collection, `emptyMB` likewise before anybody came. */
  idle: ({ idle }) =>
    within({ clients: idle, cohort: { minimum: 3, target: 10 }, rounds: 1, paused: true }, async (scene) => {
      const empty = await scene.measure()
      const from = performance.now()
      await scene.idle(idle)
      const seconds = (performance.now() - from) / 1000
      const { connected, rss, collected } = await scene.measure()
      return {
        clients: connected,
        processes: scene.processes,
        rssMB: megabytes(rss),
        collectedMB: megabytes(collected.rss),
        emptyMB: megabytes(empty.collected.rss),
        heldKBPerClient: round((collected.held - empty.collected.held) / idle / 1000),
        joinedPerSecond: Math.round(idle / seconds),
        verified: connected === idle,
      }
    }),

  /** `announceMs`: from opening the round to the moment at which the last invited client has its invitation. */
  announce: ({ connected, cohort }) =>
    within({ clients: connected, cohort: { minimum: 3, target: cohort }, rounds: 1, paused: true }, async (scene) => {
      await scene.idle(connected)
      const { connected: there } = await scene.measure()
      const announceMs = round(await scene.announce(cohort))
      return { clients: there, cohort, announceMs, verified: there === connected }
    }),

  /** `seconds`: from opening the round to its end. */
  clients: ({ clients }) =>
    within({ clients, cohort: { minimum: 3, target: clients }, rounds: 1, paused: false }, async (scene) => {
      const [{ seconds, survivors, aborted }, answers] = await Promise.all([scene.rounds([1]), scene.train(clients)])
      const counted = answers.reduce((sum, answer) => sum + answer.counted, 0)
      const { processes } = scene
      return { clients, processes, seconds: round(seconds), survivors, aborted, verified: counted === survivors }
    }),

  /** At a fifth of the rounds and after the last, after a collection: resident, and what JavaScript holds, buffers included. */
  rounds: ({ rounds }) =>
    within({ clients: 3, cohort: { minimum: 3, target: 3 }, rounds, paused: false }, async (scene) => {
      const marks = [Math.floor(rounds / 5), rounds]
      const [{ marks: measured, seconds, aborted }, answers] = await Promise.all([scene.rounds(marks), scene.train(3)])
      const at = measured.map(({ collected }, i) => ({
        round: marks[i],
        heldMB: megabytes(collected.held),
        rssMB: megabytes(collected.rss),
      }))
      const counted = answers.reduce((sum, answer) => sum + answer.counted, 0)
      return { rounds, at, seconds: round(seconds), aborted, verified: counted === 3 * rounds }
    }),
}

async function within(options: Parameters<typeof Scene.open>[0], work: (scene: Scene) => Promise<Measured>): Promise<Measured> {
  const scene = await Scene.open(options)
  try {
    return await work(scene)
  } finally {
    await scene.close()
  }
}

function megabytes(bytes: number): number {
  return round(bytes / 1e6)
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
