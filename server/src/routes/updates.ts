import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { FedweaveError } from '@fedweave/aggregator'
import { Type } from 'typebox'
import type { Hub } from '../hub.ts'
import { discardRest } from '../uploads/discard.ts'
import type { Staging } from '../uploads/staging.ts'
import { refusals } from './refusals.ts'
import { taskParams } from './tasks.ts'

const updateParams = Type.Object({ ...taskParams.properties, context: Type.String({ pattern: '^[0-9a-f]{64}$' }) })

/**
 * The masked update of the calling client for the round with that context. The session and the context name it, so the
 * same PUT sent again is the same upload and gets the same answer.
 */
export const updateRoutes: FastifyPluginAsyncTypebox<{ hub: Hub; staging: Staging }> = async (app, { hub, staging }) => {
  /** Bytes that each socket had read when its last request ended: what comes on top is this request's. */
  const readBefore = new WeakMap<Socket, number>()
  app.addHook('onResponse', async ({ raw }) => void readBefore.set(raw.socket, raw.socket.bytesRead))
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))

  const schema = {
    tags: ['taking part'],
    summary: "The calling client's sealed update for the round with that context; the same bytes again get the same answer",
    security: [{ session: [] as string[] }],
    params: updateParams,
    body: {
      content: {
        'application/octet-stream': { schema: Type.Unknown({ description: 'Sealed: `docs/protocol/v1.md`, section 7.' }) },
      },
    },
    response: {
      200: Type.Object({ receipt: Type.Literal('counted') }, { description: 'It counts, once.' }),
      ...refusals(401, 404, 408, 409, 422, 503),
    },
  }

  app.put('/v1/tasks/:task/updates/:context', { schema }, async ({ params, headers, body, raw }, reply) => {
    const task = hub.task(params.task)
    const expected = task.format.sealedBytes
    const stream = body as Readable
    stream.on('error', () => undefined) // `receive` tells; nobody else needs to know that the client went away
    try {
      const session = /^Bearer ([0-9a-f]{64})$/.exec(headers.authorization ?? '')?.[1]
      const { member, context } = hub.uploader(task, session, params.context)
      const declared = Number(headers['content-length'] ?? expected)
      if (declared !== expected)
        throw new FedweaveError('FL_UPDATE_SHAPE', `this task's updates have ${expected} bytes, got ${declared}`)
      const count = (sealed: Uint8Array) =>
        task.upload(member, context, sealed, raw.socket.bytesRead - (readBefore.get(raw.socket) ?? 0))
      await staging.receive(stream, expected, count, { client: member.id })
      return { receipt: 'counted' as const }
    } catch (error) {
      reply.header('connection', 'close') // whatever still comes on it is of no use
      discardRest(stream, expected)
      throw error
    }
  })
}
