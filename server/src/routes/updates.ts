import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { FedweaveError } from '@fedweave/aggregator'
import { Type } from 'typebox'
import type { Hub } from '../hub.ts'
import { discardRest } from '../uploads/discard.ts'
import type { Staging } from '../uploads/staging.ts'
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

  app.put(
    '/v1/tasks/:task/updates/:context',
    { schema: { params: updateParams } },
    async ({ params, headers, body, raw }, reply) => {
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
        await staging.receive(stream, expected, (sealed) =>
          task.upload(member, context, sealed, raw.socket.bytesRead - (readBefore.get(raw.socket) ?? 0)),
        )
        return { receipt: 'counted' }
      } catch (error) {
        reply.header('connection', 'close') // whatever still comes on it is of no use
        discardRest(stream, expected)
        throw error
      }
    },
  )
}
