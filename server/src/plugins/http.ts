import type { FastifyServerOptions } from 'fastify'
import type { Door } from '../access/door.ts'
import type { Limits } from '../config/limits.ts'
import { structuredLog } from '../observe/logging.ts'
import { refuse } from '../routes/errors.ts'

/** How Fastify and Node's HTTP server are held to the limits. */
export function httpOptions(limits: Limits, door: Door, logger: FastifyServerOptions['logger']) {
  const { bodyBytes, handshakeMs, uploadDeadlineMs } = limits
  return {
    ...structuredLog(logger),
    forceCloseConnections: true,
    bodyLimit: bodyBytes,
    trustProxy: door.trust,
    // Beyond an upload's own deadline, which is answered; this one closes whatever else dawdles.
    requestTimeout: uploadDeadlineMs + handshakeMs,
    routerOptions: { maxParamLength: 4096 }, // longer than any: the schemas of the routes say what is wrong
    frameworkErrors: refuse,
    http: { headersTimeout: handshakeMs, connectionsCheckingInterval: Math.max(50, handshakeMs / 4) },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
  } as const satisfies FastifyServerOptions & { http: object }
}
