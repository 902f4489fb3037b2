import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { taskStatusSchema } from '../coordinator/status.ts'
import type { Hub } from '../hub.ts'
import { newTask, parseNewTask } from '../new-task.ts'
import { OPERATOR } from './operator.ts'
import { refusals } from './refusals.ts'
import { taskParams } from './tasks.ts'

/** A topology, and the weights of a model of ten million parameters. The sender has shown the operator's key by then. */
const MOST_BODY_BYTES = 64 * 1024 * 1024

const DEFAULT_COME_BACK_S = 300

const pauseBody = Type.Union([
  Type.Object(
    {
      comeBackS: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 31_536_000,
          description: `After how many seconds clients are told to look again; else ${DEFAULT_COME_BACK_S}.`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Null(),
])

/** What the operator alone may do with tasks. */
export const operateRoutes: FastifyPluginAsyncTypebox<{ hub: Hub }> = async (app, { hub }) => {
  app.addHook('onRequest', app.operatorOnly)
  const common = { ...OPERATOR, tags: ['operate'] }
  const changed = (...statuses: number[]) => ({ 200: taskStatusSchema, ...refusals(401, 404, ...statuses) })

  const create = {
    ...common,
    summary: 'Make a task, which outlives the server',
    body: newTask,
    response: { 201: taskStatusSchema, ...refusals(400, 401, 409, 503) },
  }
  const options = {
    schema: create,
    bodyLimit: MOST_BODY_BYTES,
    validatorCompiler: () => () => true, // `parseNewTask` names a wrong field as the reference does
  }
  app.post('/v1/tasks', options, async ({ body }, reply) => {
    hub.checkOpen()
    const { status } = await hub.book.create(parseNewTask(body))
    return reply.code(201).header('location', `/v1/tasks/${status.id}`).send(status)
  })

  const pause = {
    ...common,
    summary: 'Open no new round until the task is resumed; a running one goes on',
    params: taskParams,
    body: pauseBody,
    response: changed(400, 409),
  }
  app.post('/v1/tasks/:task/pause', { schema: pause }, async ({ params, body }) => {
    const task = hub.task(params.task)
    await task.pause(body?.comeBackS ?? DEFAULT_COME_BACK_S)
    return task.status
  })

  const resume = { ...common, summary: 'Open rounds again', params: taskParams, response: changed(409) }
  app.post('/v1/tasks/:task/resume', { schema: resume }, async ({ params }) => {
    const task = hub.task(params.task)
    await task.resume()
    return task.status
  })

  const stop = {
    ...common,
    summary: 'End the task for good; a round that is not yet being unmasked is given up',
    params: taskParams,
    response: changed(),
  }
  app.post('/v1/tasks/:task/stop', { schema: stop }, async ({ params }) => {
    const task = hub.task(params.task)
    await task.stop()
    return task.status
  })

  const remove = {
    ...common,
    summary: 'Delete a task that is stopped or finished, with its journal and its models',
    params: taskParams,
    response: { 204: Type.Null({ description: 'It is deleted.' }), ...refusals(401, 404, 409) },
  }
  app.delete('/v1/tasks/:task', { schema: remove }, async ({ params }, reply) => {
    await hub.book.remove(hub.task(params.task))
    return reply.code(204).send(null)
  })
}
