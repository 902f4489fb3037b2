import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Metrics } from '../observe/metrics.ts'
import { contentOf, refusals } from './refusals.ts'

export interface Health {
  readonly metrics: Metrics
  /** Of a server with tasks: how many there are. Throws while it stops. */
  readonly tasks?: () => number
}

/** For whoever keeps the process running: is it alive, does it take clients, and how does it fare. */
export const healthRoutes: FastifyPluginAsyncTypebox<Health> = async (app, { metrics, tasks }) => {
  const tags = ['operation']

  const health = {
    tags,
    summary: 'Whether the process answers',
    response: { 200: Type.Object({ status: Type.Literal('ok') }, { description: 'It does.' }), ...refusals() },
  }
  app.get('/health', { schema: health, logLevel: 'warn' }, async () => ({ status: 'ok' as const }))

  const ready = {
    tags,
    summary: 'Whether the server takes clients: not while it stops',
    response: {
      200: Type.Object(
        { status: Type.Literal('ready'), tasks: Type.Optional(Type.Integer()) },
        { description: 'It does, for so many tasks.' },
      ),
      ...refusals(503),
    },
  }
  app.get('/ready', { schema: ready, logLevel: 'warn' }, async () => ({
    status: 'ready' as const,
    ...(tasks === undefined ? {} : { tasks: tasks() }),
  }))

  const text = {
    tags,
    summary: "Metrics in Prometheus' text format",
    response: { 200: contentOf('text/plain', 'Every metric with its help.'), ...refusals() },
  }
  app.get('/metrics', { schema: text, logLevel: 'warn' }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
