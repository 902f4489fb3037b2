import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { TaskEvent } from '../coordinator/events.ts'
import type { Hub } from '../hub.ts'

export const taskParams = Type.Object({ task: Type.String({ maxLength: 64 }) })

/** Read-only: what a task is, where it stands, its public journal, and its events as they happen. */
export const taskRoutes: FastifyPluginAsyncTypebox<{ hub: Hub }> = async (app, { hub }) => {
  app.get('/health', async () => ({ status: 'ok' }))

  app.get('/v1/tasks', async () => ({ tasks: [...hub.tasks.values()].map(({ status }) => status) }))

  app.get('/v1/tasks/:task', { schema: { params: taskParams } }, async ({ params }) => hub.task(params.task).status)

  /** All that `verifyJournal` needs: the config and the entries as the operator signed them, in base64. */
  app.get('/v1/tasks/:task/journal', { schema: { params: taskParams } }, async ({ params }) => {
    const { signedConfig, signedEntries } = hub.task(params.task).history
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    return { config: base64(signedConfig), entries: signedEntries.map(base64) }
  })

  /** Server-sent events, one JSON object each. */
  app.get('/v1/tasks/:task/events', { schema: { params: taskParams } }, (request, reply) => {
    const { events } = hub.task(request.params.task)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    reply.raw.write(': connected\n\n')
    const send = (event: TaskEvent) => void reply.raw.write(`data: ${JSON.stringify(event)}\n\n`)
    events.on('event', send)
    request.raw.once('close', () => events.off('event', send))
  })
}
