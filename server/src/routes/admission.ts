import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Door } from '../access/door.ts'
import type { JoinGate } from '../access/join-gate.ts'
import { refusals } from './refusals.ts'

/** Judges a join token as the handshake of a connection does: a refused upgrade cannot carry the reason. */
export const admissionRoutes: FastifyPluginAsyncTypebox<{ door: Door; gate: JoinGate }> = async (app, { door, gate }) => {
  const schema = {
    tags: ['taking part'],
    summary: 'Whether the join token in `Authorization: Join` would open a connection of the control plane',
    response: { 204: Type.Null({ description: 'It would.' }), ...refusals(401, 503) },
  }
  app.get('/v1/admission', { schema }, async ({ raw }, reply) => {
    door.admit(raw, /^Join ([0-9a-f]+)$/.exec(raw.headers.authorization ?? '')?.[1], gate)
    return reply.code(204).send(null)
  })
}
