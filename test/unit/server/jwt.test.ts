import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OperatorGate } from '../../../server/src/access/operator.ts'
import { jwtCheck } from '../../../server/src/enrolment/jwt-check.ts'

const claims = { issuer: 'https://login.example.org', audience: 'fedweave' }
let folder: string
let keys: Awaited<ReturnType<typeof generateKeyPair>>
let strangers: Awaited<ReturnType<typeof generateKeyPair>>
let options: { jwks: string; issuer: string; audience: string; algorithm: 'ES256' }
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-jwt-'))
  keys = await generateKeyPair('ES256')
  strangers = await generateKeyPair('ES256')
  const jwks = join(folder, 'jwks.json')
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1' }] }))
  options = { jwks, ...claims, algorithm: 'ES256' }
})
afterAll(() => rm(folder, { recursive: true }))

interface Of {
  sub?: string
  issuer?: string
  audience?: string
  exp?: string | number
  nbf?: string
  key?: CryptoKey
}

function jwt({
  sub = 'alice',
  issuer = claims.issuer,
  audience = claims.audience,
  exp = '5m',
  nbf,
  key = keys.privateKey,
}: Of = {}) {
  const token = new SignJWT(sub === '' ? {} : { sub }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer(issuer)
  if (nbf !== undefined) token.setNotBefore(nbf)
  if (exp !== 'never') token.setExpirationTime(exp)
  return token.setAudience(audience).sign(key)
}

/** HMAC with the public key as its secret: what a verifier that does not pin the algorithm falls for. */
async function confused(): Promise<string> {
  const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)))
  const token = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS256', kid: 'k1' })
  return token.setIssuer(claims.issuer).setAudience(claims.audience).setExpirationTime('5m').sign(secret)
}

const unsigned = () =>
  new UnsecuredJWT({ sub: 'alice' }).setIssuer(claims.issuer).setAudience(claims.audience).setExpirationTime('5m').encode()

const wrong: Record<string, () => string | Promise<string>> = {
  'alg=none': unsigned,
  'an HMAC with the public key': confused,
  'another audience': () => jwt({ audience: 'other' }),
  'another issuer': () => jwt({ issuer: 'https://evil.example.org' }),
  'another key': () => jwt({ key: strangers.privateKey }),
  'an expired one': () => jwt({ exp: Math.floor(Date.now() / 1000) - 60 }),
  'one of the future': () => jwt({ nbf: '5m' }),
  'one without an end': () => jwt({ exp: 'never' }),
  'one without a subject': () => jwt({ sub: '' }),
  'no JWT at all': () => 'a.b.c',
  'an altered one': async () => (await jwt()).replace(/\.[^.]*\./, `.${Buffer.from('{"sub":"root"}').toString('base64url')}.`),
}

test.each(Object.entries(wrong))('%s enrols nobody and is no operator', async (_name, make) => {
  const token = await make()
  const check = await jwtCheck({ ...options, identities: 9 }, join(folder, 'nobody'))
  await expect(check.admit(new Uint8Array(32), token)).rejects.toMatchObject({ code: 'FL_ENROLMENT_REFUSED' })
  const gate = await OperatorGate.open({ jwt: options })
  await expect(gate.check(`Bearer ${token}`)).rejects.toMatchObject({ code: 'FL_OPERATOR_ONLY' })
})

test('a good JWT is the operator, and enrols as many identities of its subject as the config says', async () => {
  await (await OperatorGate.open({ jwt: options })).check(`Bearer ${await jwt()}`)
  const check = await jwtCheck({ ...options, identities: 2 }, join(folder, 'subjects'))
  const identity = (n: number) => new Uint8Array(32).fill(n)
  await check.admit(identity(1), await jwt())
  await check.admit(identity(1), await jwt())
  await check.admit(identity(2), await jwt())
  await expect(check.admit(identity(3), await jwt())).rejects.toMatchObject({ code: 'FL_ENROLMENT_REFUSED' })
  await check.admit(identity(3), await jwt({ sub: 'bob' }))
  await expect(check.admit(identity(4), undefined)).rejects.toMatchObject({ message: 'enrolment needs a JWT' })
})

test('a key set is fetched from its URL, and one that cannot be is the fault of the service, not of the token', async () => {
  const issuer = createServer((_request, response) => void response.end(readFileSync(options.jwks)))
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  const jwks = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
  const remote = await jwtCheck({ ...options, jwks, identities: 1 }, join(folder, 'remote'))
  await remote.admit(new Uint8Array(32), await jwt({ sub: 'carol' }))
  const later = await jwtCheck({ ...options, jwks, identities: 1 }, join(folder, 'remote'))
  await new Promise((resolve) => issuer.close(resolve))
  await expect(later.admit(new Uint8Array(32), await jwt({ sub: 'carol' }))).rejects.toMatchObject({ code: 'FL_SERVER_FAULT' })
})

test('a key set over plain http from elsewhere, or one that is no key set, is a config error', async () => {
  for (const jwks of ['http://login.example.org/jwks.json', 'ftp://login.example.org/jwks.json', join(folder, 'nowhere.json')])
    await expect(jwtCheck({ ...options, jwks, identities: 1 }, folder)).rejects.toMatchObject({ code: 'FL_CONFIG_INVALID' })
})
