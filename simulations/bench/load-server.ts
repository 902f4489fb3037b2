import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseServerConfig, type Serving, serve, type TaskEvent } from '@fedweave/server'
import { sharedNow } from './process.ts'

/** The server of `bench connections` and `bench round`, in a process of its own so that its memory is its own: all of `fedweave serve` but the command line. */
export type Request =
  /** Of a server's config with one task. `paused`: it opens no round until it is told to. Answered with `Started`. */
  | { readonly type: 'start'; readonly config: object; readonly paused: boolean }
  /** Answered with `Measures`. */
  | { readonly type: 'measure' }
  /** Resumes the task; answered, as the round opens, with the moment before. */
  | { readonly type: 'open' }
  /** Answered with `Progress` once so many rounds as the last of `marks` are committed; measures at each mark. */
  | { readonly type: 'rounds'; readonly marks: readonly number[] }

export interface Started {
  readonly url: string
}

/** In bytes. */
export interface Measures {
  readonly connected: number
  readonly rss: number
  /** After a collection: resident, and what JavaScript holds, buffers included. */
  readonly collected: { readonly rss: number; readonly held: number }
}

export interface Progress {
  readonly marks: readonly Measures[]
  /** From the opening of the first round to the end of the last. */
  readonly seconds: number
  /** Of the last round. */
  readonly survivors: number
  /** Codes of the cohorts that were given up. */
  readonly aborted: readonly string[]
}

class LoadServer {
  readonly #serving: Serving
  readonly #aborted: string[] = []
  #openedAt: number | undefined
  #survivors = 0

  private constructor(serving: Serving) {
    this.#serving = serving
    this.#task.events.on('event', (event) => this.#took(event))
  }

  static async start({ config, paused }: Extract<Request, { type: 'start' }>): Promise<LoadServer> {
    const server = new LoadServer(await serve(parseServerConfig(config), { warn: () => undefined }))
    if (paused) await server.#task.pause(300)
    return server
  }

  get url(): string {
    return this.#serving.url
  }

  async measure(): Promise<Measures> {
    const { rss } = process.memoryUsage()
    for (let i = 0; i < 3; i++) {
      global.gc?.()
      await nextTurn() // what finalizers let go is collected next time
    }
    const after = process.memoryUsage()
    const { connected } = this.#task.status.clients
    return { connected, rss, collected: { rss: after.rss, held: after.heapUsed + after.external } }
  }

  async open(): Promise<number> {
    const at = sharedNow()
    await this.#task.resume()
    return at
  }

  rounds(marks: readonly number[]): Promise<Progress> {
    const measured: Promise<Measures>[] = []
    return new Promise((resolve) => {
      this.#task.events.on('event', async (event) => {
        if (event.type !== 'round-ended') return
        const now = sharedNow()
        const { rounds } = this.#task.history
        if (marks[measured.length] === rounds) measured.push(this.measure())
        if (measured.length < marks.length || rounds !== marks.at(-1)) return
        const seconds = (now - (this.#openedAt ?? now)) / 1000
        resolve({ marks: await Promise.all(measured), seconds, survivors: this.#survivors, aborted: this.#aborted })
      })
    })
  }

  get #task() {
    return this.#serving.app.hub.task('load')
  }

  #took(event: TaskEvent): void {
    if (event.type === 'phase') this.#openedAt ??= sharedNow()
    if (event.type === 'committed') this.#survivors = event.survivors
    if (event.type === 'aborted') this.#aborted.push(event.code)
  }
}

if (process.send !== undefined) {
  let server: LoadServer | undefined
  process.on('disconnect', () => process.exit(0))
  process.on('message', async (request: Request) => {
    if (request.type === 'start') {
      server = await LoadServer.start(request)
      process.send?.({ url: server.url } satisfies Started)
    } else if (server === undefined) throw new Error('it was not started')
    else if (request.type === 'measure') process.send?.(await server.measure())
    else if (request.type === 'open') process.send?.(await server.open())
    else process.send?.(await server.rounds(request.marks))
  })
}
