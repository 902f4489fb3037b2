import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { certificate, encode, FedweaveError, fromHex, toHex } from '@fedweave/aggregator'
import { Type } from 'typebox'
import type { EnrolmentDesk } from '../enrolment/desk.ts'
import { refusals } from './refusals.ts'

const body = Type.Object({
  /** Ed25519 identity key, in hex, and its proof of possession. */
  identityKey: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  proof: Type.String({ pattern: '^[0-9a-f]{128}$' }),
  /** Invite token or JWT, where the mode asks for one. */
  token: Type.Optional(Type.String({ minLength: 1, maxLength: 8192 })),
})

/** Who certifies clients: a desk in this process, or a key elsewhere, whose holder may be reached at `url`. */
export interface Enrolment {
  readonly key: Uint8Array
  readonly desk: EnrolmentDesk | undefined
  readonly url: string | undefined
}

export const enrolmentRoutes: FastifyPluginAsyncTypebox<Enrolment> = async (app, { key, desk, url }) => {
  const tags = ['taking part']

  const show = {
    tags,
    summary: 'Who certifies clients, and what it asks for',
    response: {
      200: Type.Object(
        {
          holder: Type.Union([Type.Literal('external'), Type.Literal('server')]),
          key: Type.String({ description: 'Ed25519, in hex: for clients to pin.' }),
          mode: Type.Optional(Type.String({ description: 'open, token or jwt, where this process certifies.' })),
          url: Type.Optional(Type.String({ description: 'Where clients enrol, where it does not.' })),
        },
        { description: 'What a client needs to know before it enrols.' },
      ),
      ...refusals(),
    },
  }
  app.get('/v1/enrolment', { schema: show }, async () => ({
    holder: desk === undefined ? ('external' as const) : ('server' as const),
    key: toHex(key),
    ...(desk === undefined ? {} : { mode: desk.mode }),
    ...(url === undefined ? {} : { url }),
  }))

  const enrol = {
    tags,
    summary: 'Certify an identity: its certificate in hex',
    body,
    response: {
      200: Type.Object({ certificate: Type.String() }, { description: 'In hex, as the protocol, section 8, lays it out.' }),
      ...refusals(400, 401),
    },
  }
  app.post('/v1/enrol', { schema: enrol }, async (request) => {
    if (desk === undefined) throw notHere(url)
    const { identityKey, proof, token } = request.body
    const signed = await desk.enrol({ identityKey: fromHex(identityKey), proof: fromHex(proof), token })
    return { certificate: toHex(encode(certificate, signed)) }
  })
}

export function notHere(url: string | undefined): FedweaveError {
  const where = url === undefined ? '' : `, at ${url}`
  return new FedweaveError(
    'FL_CERTIFICATE_INVALID',
    `this server takes only identities that the enrolment key off the server certified${where}`,
  )
}
