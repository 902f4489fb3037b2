import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Hub, type HubOptions } from './hub.ts'
import { gateway } from './realtime/gateway.ts'
import { enrolmentRoutes } from './routes/enrolment.ts'
import { errorReplies } from './routes/errors.ts'
import { modelRoutes } from './routes/models.ts'
import { taskRoutes } from './routes/tasks.ts'
import { updateRoutes } from './routes/updates.ts'
import { Staging, type StagingOptions } from './uploads/staging.ts'

export interface ServerOptions extends Omit<HubOptions, 'onEvent'> {
  readonly staging?: Partial<StagingOptions>
  readonly logger?: FastifyServerOptions['logger']
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly hub: Hub
  }
}

const STAGING: StagingOptions = { slots: 16, deadlineMs: 120_000, minimumBytesPerSecond: 1024, rateWindowMs: 10_000 }

/** A server that is ready to listen. Closing it ends the running rounds first: nothing is released half. */
export async function buildServer({ staging, logger, ...options }: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: logger ?? false, forceCloseConnections: true })
  const hub = await Hub.open({
    ...options,
    onEvent: (task, event) => app.log[event.type === 'warning' || event.type === 'aborted' ? 'warn' : 'info']({ task, ...event }),
  })
  app.decorate('hub', hub)
  app.addHook('preClose', () => hub.close())
  errorReplies(app)
  await gateway(app, hub)
  await app.register(taskRoutes, { hub })
  await app.register(modelRoutes, { hub })
  await app.register(updateRoutes, { hub, staging: new Staging({ ...STAGING, ...staging }) })
  await app.register(enrolmentRoutes, { hub })
  return app
}
