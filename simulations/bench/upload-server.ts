import { UpdateFormat } from '@fedweave/aggregator'
import { fastestPrg } from '@fedweave/aggregator/node'
import { referenceCnn } from '@fedweave/client/reference-model'
import { buildServer, ComputePool, memoryStore, parseServerConfig } from '@fedweave/server'

/**
 * The server of `bench upload`, in a process of its own so that its CPU time and memory are its own: all of a real one but who
 * uploads, since a round of hundreds of clients would measure the clients. Every client's updates are sealed with `KEY`.
 */
export const KEY = new Uint8Array(32).fill(7)
export const UPLOAD_DEADLINE_MS = 4000

export interface Ready {
  readonly url: string
  readonly sealedBytes: number
  readonly plainBytes: number
  readonly parameters: number
}

export interface Measures {
  /** Milliseconds of CPU, user and system, of all threads. */
  readonly cpuMs: number
  /** Bytes, after a collection. */
  readonly rss: number
  readonly slots: number
}

/** `open`: whether uploads are opened and added, as in a round, or let go once they are whole. */
export type Request = { readonly type: 'start' | 'measure' } | { readonly type: 'mode'; readonly open: boolean }

async function start(): Promise<{ readonly ready: Ready; handle(request: Request): Measures | null }> {
  const [described] = parseServerConfig({
    tasks: [
      {
        id: 'bench',
        model: { topology: '-' },
        cohort: { minimum: 3, target: 128 },
        secureAggregation: { clipBound: 10, valueBits: 24 },
      },
    ],
  }).tasks
  if (described === undefined) throw new Error('the config lost its task')
  const spec = { ...described, model: { topology: referenceCnn(1) } }
  const app = await buildServer({
    tasks: [spec],
    operatorSeed: new Uint8Array(32),
    enrolment: { seed: new Uint8Array(32) },
    openStore: async () => memoryStore(),
    limits: { uploadDeadlineMs: UPLOAD_DEADLINE_MS, requestsPerSecond: 1_000_000 },
  })
  const { hub } = app
  const task = hub.task('bench')
  const { config } = task.history
  const format = new UpdateFormat(config)
  const pool = new ComputePool()
  const sum = format.sum(fastestPrg())
  let open = false
  const entry = {} as never
  hub.uploader = (_task, session = '', context) => ({
    member: { id: session as never, entry, session, peer: undefined, gone: false, newData: false, spentOn: undefined, rounds: 0 },
    context: Buffer.from(context, 'hex'),
  })
  task.upload = async (_member, _context, sealed) => {
    if (open) sum.add(await pool.open({ config, key: KEY, sealed }))
  }
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    ready: { url, sealedBytes: format.sealedBytes, plainBytes: format.plainBytes, parameters: format.size },
    handle(request) {
      if (request.type === 'mode') open = request.open
      if (request.type !== 'measure') return null
      global.gc?.()
      const { user, system } = process.cpuUsage()
      return { cpuMs: (user + system) / 1000, rss: process.memoryUsage.rss(), slots: app.staging.taken }
    },
  }
}

if (process.send !== undefined) {
  const started = start()
  process.on('disconnect', () => process.exit(0))
  process.on('message', async (request: Request) => {
    const { ready, handle } = await started
    process.send?.(request.type === 'start' ? ready : { done: handle(request) })
  })
}
