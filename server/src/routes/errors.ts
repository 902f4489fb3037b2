import { type ErrorCode, FedweaveError } from '@fedweave/aggregator'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** What passes by itself, and after how many seconds it is worth another try. */
const RETRY_AFTER_S: { readonly [code in ErrorCode]?: number } = { FL_STAGING_FULL: 2, FL_RATE_LIMITED: 1, FL_SERVER_BUSY: 10 }

type Failure = Error & { readonly statusCode?: number }

/** Every refusal over HTTP has one form: `{ error: { code, message, cure } }`. */
export function refuse(error: Failure, request: FastifyRequest, reply: FastifyReply) {
  const known = error instanceof FedweaveError ? error : fromFastify(error)
  if (known.status >= 500) request.log.error({ err: error }, known.message)
  const wait = RETRY_AFTER_S[known.code]
  if (wait !== undefined) reply.header('retry-after', wait)
  return reply.code(known.status).send({ error: known.toJSON() })
}

export function errorReplies(app: FastifyInstance): void {
  app.setErrorHandler(refuse)
  app.setNotFoundHandler((request, reply) => {
    const message = `nothing is at ${request.method} ${request.url.slice(0, 200)}`
    return reply.code(404).send({ error: { code: 'FL_USAGE', message, cure: 'See the list of routes in the documentation.' } })
  })
}

function fromFastify(error: Failure): FedweaveError {
  const theirFault = error.statusCode !== undefined && error.statusCode < 500
  return theirFault
    ? new FedweaveError('FL_MESSAGE_MALFORMED', error.message, { cause: error })
    : new FedweaveError('FL_SERVER_FAULT', 'the server could not handle the request', { cause: error })
}
