import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { FedweaveError, fromHex } from '@fedweave/aggregator'
import { Type } from 'typebox'
import type { Member } from '../coordinator/members.ts'
import type { Task } from '../coordinator/task.ts'
import type { Staging } from '../uploads/staging.ts'
import { findTask, taskParams } from './tasks.ts'

const updateParams = Type.Object({ ...taskParams.properties, context: Type.String({ pattern: '^[0-9a-f]{64}$' }) })

/**
 * The masked update of the calling client for the round with that context. The session and the context name it, so the
 * same PUT sent again is the same upload and gets the same answer.
 */
export const updateRoutes: FastifyPluginAsyncTypebox<{ tasks: ReadonlyMap<string, Task>; staging: Staging }> = async (
  app,
  { tasks, staging },
) => {
  /** Bytes that each socket had read when its last request ended: what comes on top is this request's. */
  const readBefore = new WeakMap<Socket, number>()
  app.addHook('onResponse', async ({ raw }) => void readBefore.set(raw.socket, raw.socket.bytesRead))
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))

  app.put('/v1/tasks/:task/updates/:context', { schema: { params: updateParams } }, async (request) => {
    const task = findTask(tasks, request.params.task)
    const member = authorized(task, request.headers.authorization)
    const context = fromHex(request.params.context)
    task.checkUpload(member, context)
    const expected = task.format.sealedBytes
    const declared = Number(request.headers['content-length'] ?? expected)
    if (declared !== expected)
      throw new FedweaveError('FL_UPDATE_SHAPE', `this task's updates have ${expected} bytes, got ${declared}`)
    const sealed = await staging.receive(request.body as Readable, expected)
    const { socket } = request.raw
    await task.upload(member, context, sealed, socket.bytesRead - (readBefore.get(socket) ?? 0))
    return { receipt: 'counted' }
  })
}

/** The client whose session token the request bears. Tokens are 32 random bytes looked up by value: a guess learns nothing. */
function authorized(task: Task, header: string | undefined): Member {
  const token = /^Bearer ([0-9a-f]{64})$/.exec(header ?? '')?.[1]
  const member = token === undefined ? undefined : task.member(token)
  if (member === undefined) throw new FedweaveError('FL_SESSION_INVALID', 'the request bears no token of a live session')
  return member
}
