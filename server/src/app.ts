import { type Curves, type Prg, toHex } from '@fedweave/aggregator'
import { fastestPrg, nodeCurves } from '@fedweave/aggregator/node'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { serverKeys } from './coordinator/identity.ts'
import { prepareTask } from './coordinator/prepare.ts'
import { Task } from './coordinator/task.ts'
import { gateway } from './realtime/gateway.ts'
import { enrolmentRoutes } from './routes/enrolment.ts'
import { errorReplies } from './routes/errors.ts'
import { modelRoutes } from './routes/models.ts'
import { taskRoutes } from './routes/tasks.ts'
import { updateRoutes } from './routes/updates.ts'
import type { Store } from './storage/store.ts'
import type { TaskSpec } from './task-spec.ts'
import { Staging, type StagingOptions } from './uploads/staging.ts'

export interface ServerOptions {
  readonly tasks: readonly TaskSpec[]
  /** Ed25519 seed that signs task configs, the coordinator key and the journal. */
  readonly operatorSeed: Uint8Array
  /**
   * Who certifies clients: a key kept elsewhere, of which the server knows the public half, or a key that the server
   * holds itself, which protects against an honest-but-curious server only.
   */
  readonly enrolment: { readonly key: Uint8Array } | { readonly seed: Uint8Array }
  /** Opens the store of one task. */
  readonly openStore: (taskId: string) => Promise<Store>
  readonly staging?: Partial<StagingOptions>
  /** How long a client whose connection broke is waited for; default 3 s. */
  readonly reconnectMs?: number
  readonly logger?: FastifyServerOptions['logger']
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly fedweaveTasks: ReadonlyMap<string, Task>
  }
}

const STAGING: StagingOptions = { slots: 16, deadlineMs: 120_000, minimumBytesPerSecond: 1024, rateWindowMs: 10_000 }

/** A server that is ready to listen. Closing it ends the running rounds first: nothing is released half. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const curves: Curves = nodeCurves
  const prg: Prg = fastestPrg()
  const keys = serverKeys(curves, options.operatorSeed)
  const enrolmentSeed = 'seed' in options.enrolment ? options.enrolment.seed : undefined
  const enrolment = {
    key: toHex('key' in options.enrolment ? options.enrolment.key : curves.ed25519Public(options.enrolment.seed)),
    holder: enrolmentSeed === undefined ? 'external' : 'server',
  } as const
  const app = Fastify({ logger: options.logger ?? false, forceCloseConnections: true })
  const tasks = new Map<string, Task>()
  for (const spec of options.tasks) {
    const { history, evaluator } = await prepareTask(spec, keys, enrolment, await options.openStore(spec.id))
    const task = new Task({ keys, history, evaluator, prg, reconnectMs: options.reconnectMs ?? 3000 })
    task.events.on('event', (event) =>
      app.log[event.type === 'warning' || event.type === 'aborted' ? 'warn' : 'info']({ task: spec.id, ...event }),
    )
    tasks.set(spec.id, task)
  }
  app.decorate('fedweaveTasks', tasks)
  app.addHook('preClose', async () => {
    await Promise.all([...tasks.values()].map((task) => task.stop()))
  })
  errorReplies(app)
  await gateway(app, { keys, tasks })
  await app.register(taskRoutes, { tasks })
  await app.register(modelRoutes, { tasks })
  await app.register(updateRoutes, { tasks, staging: new Staging({ ...STAGING, ...options.staging }) })
  await app.register(enrolmentRoutes, { curves, enrolmentSeed })
  return app
}
