import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { TaskEvent } from '../coordinator/events.ts'
import type { TaskHistory } from '../coordinator/history.ts'
import { taskStatusSchema } from '../coordinator/status.ts'
import type { Hub } from '../hub.ts'
import { contentOf, refusals } from './refusals.ts'

export const taskParams = Type.Object({ task: Type.String({ maxLength: 64 }) })

/** A reader of events that takes them slower than they come is cut off beyond so much. */
const MOST_UNREAD_BYTES = 1024 * 1024

/** Read-only: what a task is, where it stands, its public journal, and its events as they happen. */
export const taskRoutes: FastifyPluginAsyncTypebox<{ hub: Hub }> = async (app, { hub }) => {
  const tags = ['tasks']

  const list = {
    tags,
    summary: 'Where each task stands',
    response: {
      200: Type.Object({ tasks: Type.Array(taskStatusSchema) }, { description: 'Every task of the server.' }),
      ...refusals(),
    },
  }
  app.get('/v1/tasks', { schema: list }, async () => ({ tasks: [...hub.tasks.values()].map(({ status }) => status) }))

  const show = {
    tags,
    summary: 'Where one task stands',
    params: taskParams,
    response: { 200: taskStatusSchema, ...refusals(404) },
  }
  app.get('/v1/tasks/:task', { schema: show }, async ({ params }) => hub.task(params.task).status)

  const config = {
    tags,
    summary: 'What clients are asked to do, and under which conditions: the config that the operator signed',
    params: taskParams,
    response: {
      200: Type.Unknown({ title: 'TaskConfig', description: 'See the reference of the task config.' }),
      ...refusals(404),
    },
  }
  app.get('/v1/tasks/:task/config', { schema: config }, async ({ params }) => hub.task(params.task).history.config)

  const journal = {
    tags,
    summary: 'All that `verifyJournal` needs: the config and the entries as the operator signed them, in base64',
    params: taskParams,
    response: {
      200: Type.Unsafe<Readable>(
        Type.Object(
          { config: Type.String(), entries: Type.Array(Type.String()) },
          { description: 'The protocol, section 12, says what is in them.' },
        ),
      ),
      ...refusals(404),
    },
  }
  app.get('/v1/tasks/:task/journal', { schema: journal }, async ({ params }, reply) => {
    const { history } = hub.task(params.task)
    return reply.type('application/json; charset=utf-8').send(Readable.from(journalJson(history)))
  })

  const events = {
    tags,
    summary: 'Events of a task as they happen: server-sent events, one JSON object each',
    params: taskParams,
    response: { 200: contentOf('text/event-stream', 'The protocol, section 2, lists the events.'), ...refusals(404) },
  }
  app.get('/v1/tasks/:task/events', { schema: events }, (request, reply) => {
    const { events } = hub.task(request.params.task)
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    raw.write(': connected\n\n')
    const send = (event: TaskEvent) => {
      raw.write(`data: ${JSON.stringify(event)}\n\n`)
      if (raw.writableLength > MOST_UNREAD_BYTES) raw.destroy()
    }
    const end = () => raw.end()
    events.on('event', send).once('closed', end)
    request.raw.once('close', () => events.off('event', send).off('closed', end))
  })
}

/** An entry at a time: the whole journal may be more than the server has room for. */
async function* journalJson(history: TaskHistory): AsyncGenerator<string> {
  const base64 = (bytes: Uint8Array) => `"${Buffer.from(bytes).toString('base64')}"`
  yield `{"config":${base64(history.signedConfig)},"entries":`
  let before = '['
  for await (const entry of history.signedEntries()) {
    yield `${before}${base64(entry)}`
    before = ','
  }
  yield ']}'
}
