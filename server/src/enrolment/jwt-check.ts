import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { FedweaveError, toHex } from '@fedweave/aggregator'
import { type JwtOptions, jwtVerifier } from '../access/jwt.ts'
import type { EnrolmentCheck } from './desk.ts'
import { takePlace } from './places.ts'

export interface JwtEnrolmentOptions extends JwtOptions {
  /** Identities that one subject may enrol: its devices. */
  readonly identities: number
}

/**
 * Admits whoever signed in elsewhere. The places of a subject are kept in `folder`, so that one account, or one stolen
 * token, does not become a thousand clients. Throws `FL_CONFIG_INVALID`.
 */
export async function jwtCheck(options: JwtEnrolmentOptions, folder: string): Promise<EnrolmentCheck> {
  const verify = await jwtVerifier(options, 'FL_ENROLMENT_REFUSED')
  return {
    mode: 'jwt',
    async admit(identityKey, token) {
      if (token === undefined) throw new FedweaveError('FL_ENROLMENT_REFUSED', 'enrolment needs a JWT')
      const subject = await verify(token)
      const name = createHash('sha256')
        .update(JSON.stringify([options.issuer, subject]))
        .digest('hex')
      if (await takePlace(join(folder, name), options.identities, toHex(identityKey))) return
      throw new FedweaveError(
        'FL_ENROLMENT_REFUSED',
        `the subject of this JWT has enrolled ${options.identities} identities already`,
        { cure: 'Use the store of the client that enrolled before, or raise `enrolment.jwt.identities`.' },
      )
    },
  }
}
