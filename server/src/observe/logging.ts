import { randomUUID } from 'node:crypto'
import type { FastifyRequest, FastifyServerOptions } from 'fastify'

/** Fields that hold a secret wherever somebody may log them; at the top of a line, one below, and two below. */
const SECRET = ['authorization', 'cookie', 'set-cookie', 'token', 'session', 'seed', 'secret', 'passphrase', 'key', 'apiKey']
const CENSORED = '(redacted)'

function paths(name: string): string[] {
  const field = /^\w+$/.test(name) ? `.${name}` : `["${name}"]`
  return [field.replace(/^\./, ''), `*${field}`, `*.*${field}`]
}

/**
 * One JSON object a line. A request is told by its id, method and path: its headers, body and query may hold tokens and are left
 * out. What is logged in spite of that is redacted by the names of its fields.
 */
export function structuredLog(given: FastifyServerOptions['logger'] = false): {
  readonly logger: NonNullable<FastifyServerOptions['logger']>
  readonly genReqId: () => string
} {
  const redact = { paths: SECRET.flatMap(paths), censor: CENSORED }
  const logger = given && { ...(given === true ? {} : given), redact, serializers: { req: toldRequest } }
  return { logger, genReqId: () => randomUUID() }
}

function toldRequest({ method, url, ip }: FastifyRequest) {
  return { method, url: url.split('?')[0] as string, remoteAddress: ip }
}
