import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FedweaveError, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import type { Answer, Request as ClientsRequest, Invited } from './load-clients.ts'
import type { Measures, Progress, Request, Started } from './load-server.ts'
import { ask, startProcess } from './process.ts'
import { TOPOLOGY } from './tiny-model.ts'

const MOST_PROCESSES = 8
/** Of connections that are idle, and of clients that train. */
const IDLE_PER_PROCESS = 1250
const TRAINING_PER_PROCESS = 25
const DAY_MS = 86_400_000
/** Open files of the server besides its clients' connections. */
const SPARE_FILES = 200

export interface SceneOptions {
  /** Clients that will be there. */
  readonly clients: number
  readonly cohort: { readonly minimum: number; readonly target: number }
  readonly rounds: number
  /** The task opens no round until `announce`. */
  readonly paused: boolean
}

/** One server with one task, and processes full of clients. Close it. */
export class Scene {
  readonly #folder: string
  readonly #enrolmentSeed = new Uint8Array(randomBytes(32))
  readonly #server = start('server')
  readonly #crowds: ChildProcess[] = []
  #url = ''

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Throws `FL_USAGE` where no process may have so many connections. */
  static async open(options: SceneOptions): Promise<Scene> {
    checkFiles(options.clients)
    const scene = new Scene(await mkdtemp(join(tmpdir(), 'fedweave-load-')))
    try {
      await scene.#serve(options)
      return scene
    } catch (error) {
      await scene.close()
      throw error
    }
  }

  measure(): Promise<Measures> {
    return this.#tell({ type: 'measure' })
  }

  /** Resolves once the last of `marks` rounds is committed. */
  rounds(marks: readonly number[]): Promise<Progress> {
    return this.#tell({ type: 'rounds', marks })
  }

  /** Resolves when all have joined; they answer nothing. */
  idle(count: number): Promise<readonly Answer[]> {
    return this.#crowd('idle', count, IDLE_PER_PROCESS)
  }

  /** Resolves when the task is finished for all of them. */
  train(count: number): Promise<readonly Answer[]> {
    return this.#crowd('train', count, TRAINING_PER_PROCESS)
  }

  /** Opens a round; milliseconds from then until the last of so many clients that wait has its invitation. */
  async announce(cohort: number): Promise<number> {
    const at: number[] = []
    const all = new Promise<void>((resolve) => {
      for (const crowd of this.#crowds)
        crowd.on('message', ({ invitedAt }: Invited) => {
          if (at.push(invitedAt) === cohort) resolve()
        })
    })
    const from = await this.#tell<number>({ type: 'open' })
    await all
    return Math.max(...at) - from
  }

  /** Processes of clients. */
  get processes(): number {
    return this.#crowds.length
  }

  async close(): Promise<void> {
    await Promise.all([...this.#crowds, this.#server].map(end))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #serve({ clients, cohort, rounds, paused }: SceneOptions): Promise<void> {
    const topology = join(this.#folder, 'tiny.json')
    await writeFile(topology, TOPOLOGY)
    const deadlines = {
      recruitingMs: DAY_MS,
      setupMs: 300_000,
      collectingMs: 300_000,
      confirmingMs: 300_000,
      unmaskingMs: 300_000,
    }
    const config = {
      data: join(this.#folder, 'data'),
      listen: { port: 0 },
      enrolment: { key: toHex(nodeCurves.ed25519Public(this.#enrolmentSeed)) },
      limits: {
        clients: clients + 100,
        clientsPerAddress: clients + 100,
        requestsPerSecond: 1_000_000,
        messagesPerSecond: 100_000,
        handshakeMs: 60_000,
      },
      tasks: [{ id: 'load', model: { topology }, rounds, cohort, deadlines }],
    }
    this.#url = (await this.#tell<Started>({ type: 'start', config, paused })).url
  }

  #tell<Told>(request: Request): Promise<Told> {
    return ask<Told>(this.#server, request)
  }

  #crowd(type: ClientsRequest['type'], count: number, perProcess: number): Promise<readonly Answer[]> {
    const processes = Math.min(MOST_PROCESSES, Math.ceil(count / perProcess))
    const enrolmentSeed = toHex(this.#enrolmentSeed)
    return Promise.all(
      Array.from({ length: processes }, (_, i) => {
        const crowd = start('clients')
        this.#crowds.push(crowd)
        const share = Math.floor((count * (i + 1)) / processes) - Math.floor((count * i) / processes)
        return ask<Answer>(crowd, { type, url: this.#url, enrolmentSeed, count: share } satisfies ClientsRequest)
      }),
    )
  }
}

function start(what: 'server' | 'clients'): ChildProcess {
  return startProcess(new URL(`./load-${what}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Node raises its own limit of open files to the hard one; beyond that only the shell can. */
function checkFiles(clients: number): void {
  const report = process.report.getReport() as unknown as { userLimits?: { open_files?: { hard: number | string } } }
  const hard = report.userLimits?.open_files?.hard
  if (typeof hard !== 'number' || hard >= clients + SPARE_FILES) return
  throw new FedweaveError('FL_USAGE', `${clients} connections need more open files than the ${hard} that a process may have`, {
    cure: `Raise the hard limit, such as with \`ulimit -Hn ${clients + SPARE_FILES}\` as root.`,
  })
}
