import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientId, FedweaveError, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { Command, Option } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { checkAfterCrash } from './crash-check.ts'
import { type Acknowledged, type CrashClient, crashClient } from './crash-clients.ts'
import { fillJournal } from './crash-journal.ts'
import { type RunsFrom, type ServeProcess, startServer } from './crash-server.ts'
import { PARAMETERS, TOPOLOGY } from './tiny-model.ts'

export const command = new Command('crash')
  .description('kill -9 of a server at random moments while clients train, and what its data folder then holds')
  .option('--kills <n>', 'how often', '200')
  .option('--rounds <n>', 'rounds in the journal for the time to start', '1000')
  .option('--seed <n>', 'seed of the moments', '1')
  .addOption(
    new Option('--server <how>', 'the command of this checkout, or what `npm run build` left in dist')
      .choices(['bin', 'dist'])
      .default('bin'),
  )

const CLIENTS = 4
/** Events of clients after which a kill comes at the latest: about three rounds' worth. */
const MOST_EVENTS = 60
/** Without any event for so long, nothing goes on any more: new clients come. */
const PATIENCE_MS = 30_000

/**
 * `lost`, `torn` and `twice` are read off the disk after each kill by `checkAfterCrash`, which lists them as `problems`.
 * `replaced`: how often nothing went on any more and new clients had to come.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const kills = integerOption('kills', options.kills, 1, 10_000)
  const rounds = integerOption('rounds', options.rounds, 0, 100_000)
  const seed = integerOption('seed', options.seed, 0, 2 ** 31 - 1)
  const folder = await mkdtemp(join(tmpdir(), 'fedweave-crash-'))
  const from = options.server as RunsFrom
  const scene = new Scene(folder, seed, from)
  try {
    await scene.prepare()
    for (let kill = 0; kill < kills; kill++) await scene.killOnce()
    const result = scene.result
    await scene.close()
    const restartMs = rounds === 0 ? undefined : await timeToStart(join(folder, 'long'), rounds, from)
    return { kills, server: from, ...result, ...(restartMs === undefined ? {} : { journalRounds: rounds, restartMs }) }
  } finally {
    await scene.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The server, killed again and again, and the clients that train through it. */
class Scene {
  readonly #folder: string
  readonly #from: RunsFrom
  readonly #random: (below: number) => number
  readonly #enrolmentSeed = new Uint8Array(randomBytes(32))
  readonly #acknowledged: Acknowledged[] = []
  readonly #known: Uint8Array[] = []
  readonly #places = new Map<ClientId, number>()
  readonly #problems: string[] = []
  readonly #startMs: number[] = []
  #clients: readonly CrashClient[] = []
  #server: ServeProcess | undefined
  #port = 0
  #replaced = 0
  #noticed: () => void = () => undefined

  constructor(folder: string, seed: number, from: RunsFrom) {
    this.#folder = folder
    this.#from = from
    const entropy = seededEntropy(`crash/${seed}`)
    this.#random = (below) => new DataView(entropy.bytes(4).buffer).getUint32(0) % below
  }

  get result() {
    return {
      clients: CLIENTS,
      rounds: this.#known.length - 1,
      acknowledged: this.#acknowledged.length,
      replaced: this.#replaced,
      startMs: Math.round(this.#startMs.reduce((a, b) => a + b, 0) / this.#startMs.length),
      problems: this.#problems,
      verified: this.#problems.length === 0 && this.#known.length > 1,
    }
  }

  async prepare(): Promise<void> {
    const key = toHex(nodeCurves.ed25519Public(this.#enrolmentSeed))
    await writeConfig(this.#folder, { enrolment: { key }, checkpoints: 1_000_000 })
    await this.#start()
    await this.#newClients()
  }

  /** Waits for a random number of events, and a random moment more, kills, looks at the disk, starts again. */
  async killOnce(): Promise<void> {
    const server = this.#server as ServeProcess
    if (!(await this.#events(1 + this.#random(MOST_EVENTS)))) {
      await this.#newClients()
      this.#replaced += 1
      await this.#events(1 + this.#random(MOST_EVENTS))
    }
    await new Promise((resolve) => setTimeout(resolve, this.#random(20)))
    await server.kill()
    this.#server = undefined
    const problems = await checkAfterCrash({
      folder: join(this.#folder, 'data', 'tasks', 'crash'),
      operatorKey: server.operatorKey,
      enrolmentKey: nodeCurves.ed25519Public(this.#enrolmentSeed),
      known: this.#known,
      acknowledged: this.#acknowledged,
      places: this.#places,
    })
    this.#problems.push(...problems)
    await this.#start()
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()))
    this.#clients = []
    await this.#server?.kill()
    this.#server = undefined
  }

  async #start(): Promise<void> {
    this.#server = await startServer(join(this.#folder, 'server.json'), this.#port, this.#from)
    this.#startMs.push(this.#server.startMs)
    this.#port = Number(new URL(this.#server.url).port)
  }

  async #newClients(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()))
    const { url } = this.#server as ServeProcess
    this.#clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, place) =>
        crashClient({
          url,
          enrolmentSeed: this.#enrolmentSeed,
          place,
          parameters: PARAMETERS,
          acknowledged: (round) => void this.#acknowledged.push(round),
          noticed: () => this.#noticed(),
        }),
      ),
    )
    for (const { id, place } of this.#clients) this.#places.set(id, place)
  }

  /** Whether so many events came, none of them later than the patience after the one before. */
  #events(count: number): Promise<boolean> {
    return new Promise((resolve) => {
      let left = count
      const give = () => resolve(false)
      let patience = setTimeout(give, PATIENCE_MS)
      this.#noticed = () => {
        clearTimeout(patience)
        if (--left <= 0) resolve(true)
        else patience = setTimeout(give, PATIENCE_MS)
      }
    })
  }
}

async function writeConfig(folder: string, more: object): Promise<string> {
  await writeFile(join(folder, 'tiny.json'), TOPOLOGY)
  const task = {
    id: 'crash',
    model: { topology: 'tiny.json' },
    rounds: 1_000_000,
    cohort: { minimum: 3, target: CLIENTS },
    // Recruiting outlasts the pauses between two attempts of a client to reconnect, up to 4 s.
    deadlines: { recruitingMs: 10_000, setupMs: 2000, collectingMs: 4000, confirmingMs: 2000, unmaskingMs: 2000 },
  }
  const path = join(folder, 'server.json')
  await writeFile(path, JSON.stringify({ data: 'data', reconnectMs: 500, tasks: [task], ...more }))
  return path
}

/** How often a start is timed; one alone is at the mercy of what else the machine does. */
const STARTS = 3

/** Milliseconds from the start of the process until it listens, with so many rounds of ten clients in the journal: the median. */
async function timeToStart(folder: string, rounds: number, from: RunsFrom): Promise<number> {
  await mkdir(folder)
  const config = await writeConfig(folder, {})
  await (await startServer(config, 0, from)).kill()
  await fillJournal(join(folder, 'data'), 'crash', rounds)
  const times: number[] = []
  while (times.length < STARTS) {
    const server = await startServer(config, 0, from)
    const { entries } = (await (await fetch(`${server.url}/v1/tasks/crash/journal`)).json()) as { entries: unknown[] }
    await server.kill()
    if (entries.length !== rounds + 1)
      throw new FedweaveError('FL_STORE_DAMAGED', `the journal came back with ${entries.length} entries`)
    times.push(Math.round(server.startMs))
  }
  return times.sort((a, b) => a - b)[Math.floor(STARTS / 2)] as number
}
