import { mkdir } from 'node:fs/promises'
import { toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Door } from '../access/door.ts'
import { OperatorGate, type OperatorOptions } from '../access/operator.ts'
import { type Limits, withDefaults } from '../config/limits.ts'
import type { EnrolmentConfig } from '../config/schema.ts'
import { Metrics } from '../observe/metrics.ts'
import { guard } from '../plugins/guard.ts'
import { httpOptions } from '../plugins/http.ts'
import { openApi } from '../plugins/openapi.ts'
import { enrolmentRoutes } from '../routes/enrolment.ts'
import { errorReplies } from '../routes/errors.ts'
import { healthRoutes } from '../routes/health.ts'
import { tokenRoutes } from '../routes/tokens.ts'
import { listen, operatorOf, type ServeOptions, serverKey } from '../serving.ts'
import { enrolmentCheck } from './check.ts'
import { EnrolmentDesk } from './desk.ts'
import { TokenBook } from './tokens.ts'

export interface EnrolmentServerOptions {
  readonly desk: EnrolmentDesk
  readonly limits?: Partial<Limits>
  readonly origins?: readonly string[]
  readonly trustProxy?: readonly string[]
  readonly operator?: OperatorOptions
  readonly tokens?: TokenBook
  readonly logger?: FastifyServerOptions['logger']
}

/** The enrolment service, ready to listen: it has the key that certifies clients, and nothing else. */
export async function buildEnrolmentServer(options: EnrolmentServerOptions): Promise<FastifyInstance> {
  const { desk, origins = [], trustProxy = [], tokens } = options
  const limits = withDefaults(options.limits)
  const door = new Door({ limits, origins, trustProxy })
  const app: FastifyInstance = Fastify(httpOptions(limits, door, options.logger))
  const metrics = new Metrics(app)
  errorReplies(app)
  await guard(app, { door, operator: await OperatorGate.open(options.operator), origins })
  await openApi(app, 'Fedweave enrolment service')
  await app.register(healthRoutes, { metrics })
  await app.register(enrolmentRoutes, { key: desk.key, desk, url: undefined })
  if (tokens !== undefined) await app.register(tokenRoutes, { tokens })
  return app
}

/** Loads or makes the enrolment key and listens. Throws a `FedweaveError` that names what is wrong. */
export async function serveEnrolment(
  config: EnrolmentConfig,
  options: ServeOptions,
): Promise<{ readonly app: FastifyInstance; readonly url: string; readonly enrolmentKey: string }> {
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const { days, mode } = config.enrolment
  if (mode === 'open') options.warn('enrolment is open: one person can be any number of clients')
  const check = await enrolmentCheck(config)
  const desk = new EnrolmentDesk({ curves: nodeCurves, seed: await serverKey(config, options, 'enrolment.key'), check, days })
  const { origins, trustProxy, limits } = config
  const app = await buildEnrolmentServer({
    ...{ desk, origins, trustProxy, limits },
    operator: await operatorOf(config),
    ...(check instanceof TokenBook ? { tokens: check } : {}),
    logger: options.logger,
  })
  return { app, url: await listen(app, config, options), enrolmentKey: toHex(desk.key) }
}
