import cors from '@fastify/cors'
import { FedweaveError } from '@fedweave/aggregator'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Door } from '../access/door.ts'
import type { OperatorGate } from '../access/operator.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook for routes of the operator alone: `{ onRequest: app.operatorOnly }`. */
    operatorOnly(request: FastifyRequest): Promise<void>
  }
}

export interface GuardOptions {
  readonly door: Door
  readonly operator: OperatorGate
  readonly origins: readonly string[]
}

/** What stands before every route. */
export async function guard(app: FastifyInstance, { door, operator, origins }: GuardOptions): Promise<void> {
  app.addHook('onRequest', async ({ raw }) => {
    door.enter(raw)
    const encoding = raw.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity')
      throw new FedweaveError(
        'FL_MESSAGE_MALFORMED',
        `bodies are taken as they are, not as ${JSON.stringify(encoding.slice(0, 40))}`,
      )
  })
  await app.register(cors, {
    origin: origins.includes('*') ? true : [...origins],
    methods: ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'if-none-match'],
    exposedHeaders: ['etag', 'retry-after'],
    maxAge: 86_400,
  })
  app.decorate('operatorOnly', ({ headers }: FastifyRequest) => operator.check(headers.authorization))
}
