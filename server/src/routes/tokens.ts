import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { MOST_TOKEN_USES, type TokenBook } from '../enrolment/tokens.ts'
import { OPERATOR } from './operator.ts'
import { refusals } from './refusals.ts'

const body = Type.Object(
  {
    uses: Type.Integer({ minimum: 1, maximum: MOST_TOKEN_USES, default: 1 }),
    /** Unix milliseconds. */
    expiresAt: Type.Optional(Type.Integer({ minimum: 0 })),
    label: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
)
const tokenInfo = Type.Object({
  id: Type.String(),
  uses: Type.Integer(),
  used: Type.Integer(),
  createdAt: Type.Integer(),
  expiresAt: Type.Optional(Type.Integer()),
  label: Type.Optional(Type.String()),
  revoked: Type.Boolean(),
})
const params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{16}$' }) })

/** Invite tokens, for the operator alone; `fedweave token` does the same on the data folder. */
export const tokenRoutes: FastifyPluginAsyncTypebox<{ tokens: TokenBook }> = async (app, { tokens }) => {
  app.addHook('onRequest', app.operatorOnly)

  const common = { ...OPERATOR, tags: ['operate'] }

  const list = {
    ...common,
    summary: 'Invite tokens, the newest first; never the secret of one',
    response: { 200: Type.Object({ tokens: Type.Array(tokenInfo) }, { description: 'All of them.' }), ...refusals(401) },
  }
  app.get('/v1/tokens', { schema: list }, async () => ({ tokens: [...(await tokens.list())] }))

  const create = {
    ...common,
    summary: 'Make an invite token, and show it for the only time',
    body,
    response: {
      201: Type.Object({ id: Type.String(), token: Type.String() }, { description: 'The token itself, which is not kept.' }),
      ...refusals(400, 401),
    },
  }
  app.post('/v1/tokens', { schema: create }, async (request, reply) => reply.code(201).send(await tokens.create(request.body)))

  const revoke = {
    ...common,
    summary: 'Let nobody enrol with it any more',
    params,
    response: { 204: Type.Null({ description: 'It is revoked.' }), ...refusals(400, 401, 403) },
  }
  app.delete('/v1/tokens/:id', { schema: revoke }, async (request, reply) => {
    await tokens.revoke(request.params.id)
    return reply.code(204).send(null)
  })
}
