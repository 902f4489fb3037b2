import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientId, FedweaveError } from '@fedweave/aggregator'
import { writeMnistTask } from '../tasks/mnist.ts'
import { Board } from './board.ts'
import { enrolClients, type Player } from './cast.ts'
import { Child } from './child.ts'
import { HalfUploadProxy } from './half-upload-proxy.ts'
import { type Outcome, readOutcome } from './outcome.ts'
import { serverEvents } from './server-events.ts'

const CLIENTS = 10
/** The round in which two clients are killed: one in mid-training, one in mid-upload. They come back for the next. */
const FATAL_ROUND = 2
/** Killed while it trains, after the others hold its shares. */
const TRAINEE = 3
/** Killed with half its upload sent. */
const UPLOADER = 7

export interface DemoOptions {
  readonly rounds: number
  readonly stream: NodeJS.WriteStream
  readonly signal: AbortSignal
}

interface Listening {
  readonly url: string
  readonly operatorKey: string
}

/** Runs the whole scene in processes of its own and reads the result from the journal that they leave. */
export async function runDemo({ rounds, stream, signal }: DemoOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'fedweave-demo-'))
  const children: Child[] = []
  let proxy: HalfUploadProxy | undefined
  const over = new AbortController()
  try {
    const { enrolmentKey, players } = await enrolClients(folder, CLIENTS)
    const board = new Board(stream, new Map(players.map(({ id, name }) => [id, name])))
    board.say(`enrolled ${CLIENTS} clients with a key that the server never sees`)
    const server = await startServer(folder, rounds, enrolmentKey, children)
    board.say(`server on ${server.url}`)
    proxy = await HalfUploadProxy.start({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
    const scene = new Scene({ board, server, enrolmentKey, players, children, proxy })
    for (const index of players.keys()) scene.start(index)
    await Promise.race([scene.play(over.signal), scene.failure, interrupted(signal)])
    const outcome = await readOutcome(server.url, 'mnist', { operatorKey: server.operatorKey, enrolmentKey })
    board.close()
    return outcome
  } finally {
    over.abort()
    proxy?.close()
    await Promise.allSettled(children.map((child) => child.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

async function startServer(folder: string, rounds: number, enrolmentKey: string, children: Child[]): Promise<Listening> {
  const config = join(folder, 'server.json')
  const data = join(folder, 'server')
  const task = await writeMnistTask(folder, {
    rounds,
    cohort: { minimum: 3, target: CLIENTS },
    deadlines: { recruitingMs: 120_000 },
  })
  await writeFile(config, JSON.stringify({ listen: { port: 0 }, data, enrolment: { key: enrolmentKey }, tasks: [task] }))
  return new Promise((resolve, reject) => {
    const server = new Child('the server', ['serve', '--config', config, '--log', 'error', '--json'], (line) => {
      if (line.startsWith('{"url"')) resolve(JSON.parse(line) as Listening)
    })
    children.push(server)
    server.done().then(() => reject(new FedweaveError('FL_SERVER_FAULT', 'the server ended before the demo did')), reject)
  })
}

interface SceneParts {
  readonly board: Board
  readonly server: Listening
  readonly enrolmentKey: string
  readonly players: readonly Player[]
  readonly children: Child[]
  readonly proxy: HalfUploadProxy
}

/** Who does what when: starts the clients, kills two of them at their moments, brings them back. */
class Scene {
  /** Rejects when a process ends that should not. */
  readonly failure: Promise<never>
  readonly #parts: SceneParts
  readonly #clients = new Map<number, Child>()
  #fail: (error: unknown) => void = () => undefined
  /** The trainee's shares are with the others, and its training of the fatal round has begun. */
  readonly #doom = { acknowledged: false, training: false, done: false }

  constructor(parts: SceneParts) {
    this.#parts = parts
    this.failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failure.catch(() => undefined)
  }

  start(index: number): void {
    const { server, enrolmentKey, players, children, proxy } = this.#parts
    const player = players[index] as Player
    const url = index === UPLOADER ? proxy.url : server.url
    const child = new Child(
      player.name,
      [
        ...['client', url, '--task', 'mnist', '--dataset', 'mnist', '--shard', `${index + 1}/${players.length}`, '--json'],
        ...['--store', player.store, '--certificate', player.certificate],
        ...['--enrolment-key', enrolmentKey, '--operator-key', server.operatorKey],
      ],
      (line) => this.#heard(index, line),
    )
    this.#clients.set(index, child)
    children.push(child)
    child.done().catch(this.#fail)
  }

  async play(signal: AbortSignal): Promise<void> {
    const { server, board, players, proxy } = this.#parts
    for await (const event of serverEvents(server.url, 'mnist', signal)) {
      board.show(event)
      if (event.type === 'finished') return
      if (event.type === 'phase' && event.round === FATAL_ROUND && event.phase === 'collecting') {
        void proxy.holdHalf(this.#uploadBytes).then(() => this.#kill(UPLOADER, 'with half its upload sent'))
      }
      if (event.type === 'client' && event.progress === 'uploaded') this.#uploadBytes = event.bytes ?? 0
      if (event.type === 'client' && event.round === FATAL_ROUND && event.progress === 'acknowledged') {
        if (event.client === (players[TRAINEE]?.id as ClientId)) this.#doom.acknowledged = true
        this.#strike()
      }
      if (event.type === 'committed' && event.round === FATAL_ROUND) {
        board.say('  the two killed clients come back')
        for (const index of [TRAINEE, UPLOADER]) this.start(index)
      }
    }
    throw new FedweaveError('FL_SERVER_UNREACHABLE', "the server's event stream ended before the task was finished")
  }

  #uploadBytes = 0

  #heard(index: number, line: string): void {
    const step = /^round (\d+): step (\d+)\/(\d+)/.exec(line)
    if (step === null) return
    const [, round, done, of] = step.map(Number)
    this.#parts.board.trained(String(index), (done ?? 0) / (of ?? 1))
    if (index === TRAINEE && round === FATAL_ROUND && (done ?? 0) < (of ?? 0)) {
      this.#doom.training = true
      this.#strike()
    }
  }

  #strike(): void {
    if (!this.#doom.acknowledged || !this.#doom.training || this.#doom.done) return
    this.#doom.done = true
    this.#kill(TRAINEE, 'in the middle of its training')
  }

  #kill(index: number, when: string): void {
    this.#clients.get(index)?.kill()
    this.#parts.board.say(`  SIGKILL to ${this.#parts.players[index]?.name}, ${when}`)
  }
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new FedweaveError('FL_STOPPED', 'the demo was interrupted')), { once: true })
  })
}
