import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Curves, certificate, certify, encode, FedweaveError, fromHex, hash } from '@fedweave/aggregator'
import { Type } from 'typebox'

const body = Type.Object({
  /** Hex of the Ed25519 identity key, and of its signature over ("fw1/enrol", key). */
  identityKey: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  proof: Type.String({ pattern: '^[0-9a-f]{128}$' }),
})

const CERTIFICATE_DAYS = 90

/**
 * Open enrolment, for servers that hold the enrolment key themselves: whoever asks is certified. Such a server could
 * certify clients of its own making, so its tasks say "honest-but-curious server only".
 */
export const enrolmentRoutes: FastifyPluginAsyncTypebox<{ curves: Curves; enrolmentSeed: Uint8Array | undefined }> = async (
  app,
  options,
) => {
  app.post('/v1/enrol', { schema: { body } }, async (request) => {
    const { curves, enrolmentSeed } = options
    if (enrolmentSeed === undefined) {
      throw new FedweaveError(
        'FL_CERTIFICATE_INVALID',
        'this server takes only identities that the enrolment key off the server certified',
      )
    }
    const identityKey = fromHex(request.body.identityKey)
    if (!curves.verify(identityKey, hash('fw1/enrol', identityKey), fromHex(request.body.proof))) {
      throw new FedweaveError('FL_IDENTITY_PROOF', 'the proof is not a signature of the identity key')
    }
    const notAfter = Math.floor(Date.now() / 1000) + CERTIFICATE_DAYS * 86_400
    return {
      certificate: Buffer.from(encode(certificate, certify(curves, enrolmentSeed, identityKey, notAfter))).toString('hex'),
    }
  })
}
