/// <reference types="@fastify/swagger" preserve="true" />
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Door } from './access/door.ts'
import { JoinGate } from './access/join-gate.ts'
import { OperatorGate, type OperatorOptions } from './access/operator.ts'
import { type Limits, withDefaults } from './config/limits.ts'
import type { TaskEvent } from './coordinator/events.ts'
import type { TokenBook } from './enrolment/tokens.ts'
import { Hub, type HubOptions } from './hub.ts'
import { Metrics, planeMetrics } from './observe/metrics.ts'
import { taskMetrics } from './observe/task-metrics.ts'
import { guard } from './plugins/guard.ts'
import { httpOptions } from './plugins/http.ts'
import { openApi } from './plugins/openapi.ts'
import { gateway } from './realtime/gateway.ts'
import { admissionRoutes } from './routes/admission.ts'
import { enrolmentRoutes } from './routes/enrolment.ts'
import { errorReplies } from './routes/errors.ts'
import { healthRoutes } from './routes/health.ts'
import { modelRoutes } from './routes/models.ts'
import { operateRoutes } from './routes/operate.ts'
import { taskRoutes } from './routes/tasks.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { updateRoutes } from './routes/updates.ts'
import { Staging } from './uploads/staging.ts'

export interface ServerOptions extends Omit<HubOptions, 'onEvent' | 'limits'> {
  /** What is left out has the default of the reference. */
  readonly limits?: Partial<Limits>
  /** Web origins besides the server's own. */
  readonly origins?: readonly string[]
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustProxy?: readonly string[]
  /** Absent: nobody is the operator. */
  readonly operator?: OperatorOptions
  /** Absent: the operator's API makes no invite tokens. */
  readonly tokens?: TokenBook
  readonly logger?: FastifyServerOptions['logger']
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly hub: Hub
    readonly staging: Staging
    /** Admits nobody any more, lets a round that is being unmasked finish, ends the others, and closes. */
    drain(): Promise<void>
  }
}

/** Over so many milliseconds an upload is held to its least rate. */
const RATE_WINDOW_MS = 10_000

/** A server that is ready to listen. Closing it ends the running rounds first: nothing is released half. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { logger, origins = [], trustProxy = [], tokens } = options
  const limits = withDefaults(options.limits)
  const door = new Door({ limits, origins, trustProxy })
  const operator = await OperatorGate.open(options.operator)
  const app: FastifyInstance = Fastify(httpOptions(limits, door, logger))
  app.server.maxConnections = 2 * limits.clients + 1024 // a client's socket, and its HTTP connection
  const metrics = new Metrics(app)
  const count = taskMetrics(metrics.registry)
  const onEvent = (task: string, event: TaskEvent) => {
    count(task, event)
    app.log[event.type === 'warning' || event.type === 'aborted' ? 'warn' : 'info']({ task, ...event })
  }
  const hub = await Hub.open({ ...options, limits, onEvent })
  const { uploadSlots, uploadsPerClient, uploadBytes, uploadDeadlineMs, uploadMinimumBytesPerSecond } = limits
  const staging = new Staging({
    slots: uploadSlots,
    slotsPerClient: uploadsPerClient,
    mostBytes: uploadBytes,
    deadlineMs: uploadDeadlineMs,
    minimumBytesPerSecond: uploadMinimumBytesPerSecond,
    rateWindowMs: Math.min(RATE_WINDOW_MS, uploadDeadlineMs),
  })
  app.decorate('hub', hub)
  app.decorate('staging', staging)
  planeMetrics(metrics.registry, app)
  app.decorate('drain', async () => {
    door.close()
    await hub.drain()
    await app.close()
  })
  app.addHook('preClose', () => hub.close())
  errorReplies(app)
  await guard(app, { door, operator, origins })
  await openApi(app, 'Fedweave server')
  const gate = new JoinGate(hub.keys.curves, hub.enrolment.key)
  await gateway(app, hub, { door, gate, limits })
  const openTasks = () => {
    hub.checkOpen()
    return hub.tasks.size
  }
  await app.register(healthRoutes, { metrics, tasks: openTasks })
  await app.register(admissionRoutes, { door, gate })
  await app.register(taskRoutes, { hub })
  await app.register(operateRoutes, { hub })
  await app.register(modelRoutes, { hub })
  await app.register(updateRoutes, { hub, staging })
  await app.register(enrolmentRoutes, hub.enrolment)
  if (tokens !== undefined) await app.register(tokenRoutes, { tokens })
  return app
}
