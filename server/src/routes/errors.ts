import { FedweaveError } from '@fedweave/aggregator'
import type { FastifyInstance } from 'fastify'

/** Every refusal over HTTP has one form: `{ error: { code, message, cure } }`. */
export function errorReplies(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number; validation?: unknown }, request, reply) => {
    const known = error instanceof FedweaveError ? error : fromFastify(error)
    if (known.status >= 500) request.log.error({ err: error }, known.message)
    if (known.code === 'FL_STAGING_FULL') reply.header('retry-after', '2')
    return reply.code(known.status).send({ error: known.toJSON() })
  })
  app.setNotFoundHandler((request, reply) => {
    const message = `nothing is at ${request.method} ${request.url.slice(0, 200)}`
    return reply.code(404).send({ error: { code: 'FL_USAGE', message, cure: 'See the list of routes in the documentation.' } })
  })
}

function fromFastify(error: Error & { statusCode?: number }): FedweaveError {
  const theirFault = error.statusCode !== undefined && error.statusCode < 500
  return theirFault
    ? new FedweaveError('FL_MESSAGE_MALFORMED', error.message, { cause: error })
    : new FedweaveError('FL_SERVER_FAULT', 'the server could not handle the request', { cause: error })
}
