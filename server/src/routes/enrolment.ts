import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { certificate, encode, fromHex, toHex } from '@fedweave/aggregator'
import { Type } from 'typebox'
import { certifyOnRequest } from '../enrolment.ts'
import type { Hub } from '../hub.ts'

const body = Type.Object({
  /** Ed25519 identity key, in hex, and its proof of possession. */
  identityKey: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  proof: Type.String({ pattern: '^[0-9a-f]{128}$' }),
})

export const enrolmentRoutes: FastifyPluginAsyncTypebox<{ hub: Hub }> = async (app, { hub }) => {
  app.post('/v1/enrol', { schema: { body } }, async (request) => {
    const { identityKey, proof } = request.body
    return { certificate: toHex(encode(certificate, certifyOnRequest(hub, fromHex(identityKey), fromHex(proof)))) }
  })
}
