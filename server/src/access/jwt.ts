import { readFile } from 'node:fs/promises'
import { FedweaveError } from '@fedweave/aggregator'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'

/** Signatures only: with a shared secret, whoever checks a token could also make one. `none` is no choice. */
export const JWT_ALGORITHMS = ['EdDSA', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const

export interface JwtOptions {
  /** Key set of the issuer: an https URL, or a file. */
  readonly jwks: string
  readonly issuer: string
  readonly audience: string
  readonly algorithm: (typeof JWT_ALGORITHMS)[number]
}

/** Resolves with the token's subject. Throws `FL_ENROLMENT_REFUSED` or `FL_OPERATOR_ONLY`, as the caller chose. */
export type JwtVerifier = (token: string) => Promise<string>

const CLOCK_TOLERANCE_S = 30

/**
 * Checks tokens of one issuer: signature by a key of its set under the one algorithm, issuer, audience, and times; `sub` and
 * `exp` must be there. Throws `FL_CONFIG_INVALID` when the key set cannot be used.
 */
export async function jwtVerifier(
  { jwks, issuer, audience, algorithm }: JwtOptions,
  code: 'FL_ENROLMENT_REFUSED' | 'FL_OPERATOR_ONLY',
): Promise<JwtVerifier> {
  const jose = await import('jose') // most servers take no JWTs: their start need not wait for it
  const keys = await keySet(jose, jwks)
  return async (token) => {
    try {
      const { payload } = await jose.jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [algorithm],
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
      })
      if (typeof payload.sub === 'string' && payload.sub !== '') return payload.sub
      throw new FedweaveError(code, 'the JWT names no subject')
    } catch (cause) {
      if (cause instanceof FedweaveError) throw cause
      if (cause instanceof jose.errors.JWKSTimeout || !(cause instanceof jose.errors.JOSEError)) {
        throw new FedweaveError('FL_SERVER_FAULT', `the key set at ${jwks} cannot be fetched`, { cause })
      }
      throw new FedweaveError(code, `the JWT is not good here: ${cause.message}`, { cause })
    }
  }
}

async function keySet({ createLocalJWKSet, createRemoteJWKSet }: typeof import('jose'), jwks: string): Promise<JWTVerifyGetKey> {
  if (URL.canParse(jwks) && !jwks.startsWith('file:')) {
    const url = new URL(jwks)
    const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) return createRemoteJWKSet(url)
    throw new FedweaveError('FL_CONFIG_INVALID', `jwks: expected an https URL or a file, got ${jwks}`)
  }
  try {
    return createLocalJWKSet(JSON.parse(await readFile(jwks, 'utf8')) as JSONWebKeySet)
  } catch (cause) {
    throw new FedweaveError('FL_CONFIG_INVALID', `jwks: cannot use the key set ${jwks}: ${(cause as Error).message}`, { cause })
  }
}
