import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toHex } from '@fedweave/aggregator'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Hub } from '../hub.ts'
import { contentOf, refusals } from './refusals.ts'
import { taskParams } from './tasks.ts'

const modelParams = Type.Object({ ...taskParams.properties, hash: Type.String({ pattern: '^([0-9a-f]{64}|latest)$' }) })

/**
 * Models by their hash, which never change and may be cached for good: little-endian float32, the tensors in the order
 * of the task's config. Sent as they are: weights are close to random bytes, and compressing them costs more than it saves.
 */
export const modelRoutes: FastifyPluginAsyncTypebox<{ hub: Hub }> = async (app, { hub }) => {
  const schema = {
    tags: ['taking part'],
    summary: 'Weights by their SHA-256, or the latest: little-endian float32, the tensors in the order of the config',
    params: modelParams,
    response: {
      200: contentOf('application/octet-stream', 'The bytes whose SHA-256 names them.'),
      304: Type.Null({ description: 'As `if-none-match` has it.' }),
      ...refusals(404),
    },
  }
  app.get('/v1/tasks/:task/models/:hash', { schema }, async ({ params, headers }, reply) => {
    const task = hub.task(params.task)
    const latest = params.hash === 'latest'
    const hash = latest ? toHex(task.history.head.modelAfter) : params.hash
    reply.header('etag', `"${hash}"`).header('cache-control', latest ? 'no-cache' : 'public, max-age=31536000, immutable')
    if (headers['if-none-match'] === `"${hash}"`) return reply.code(304).send(null)
    return octets(reply, await hub.model(task, hash))
  })

  const aggregate = {
    tags: ['tasks'],
    summary: 'What a cohort summed to, by the SHA-256 that the journal has; of tasks with one cohort a round',
    params: Type.Object({ ...taskParams.properties, hash: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    response: {
      200: contentOf('application/octet-stream', 'Its weight and mean, as the protocol, section 12, lays them out.'),
      ...refusals(404),
    },
  }
  app.get('/v1/tasks/:task/aggregates/:hash', { schema: aggregate }, async ({ params }, reply) => {
    reply.header('cache-control', 'public, max-age=31536000, immutable')
    return octets(reply, await hub.aggregate(hub.task(params.task), params.hash))
  })
}

function octets(reply: FastifyReply, { buffer, byteOffset, length }: Uint8Array): FastifyReply {
  return reply.type('application/octet-stream').send(Buffer.from(buffer, byteOffset, length))
}
