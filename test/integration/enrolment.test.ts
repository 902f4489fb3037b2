import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { certificate, decode, encode } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { memoryStore } from '@fedweave/client'
import { buildEnrolmentServer, EnrolmentDesk, parseEnrolmentConfig, serveEnrolment, TokenBook } from '@fedweave/server'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashOfKey } from '../../server/src/access/operator.ts'
import {
  deltaOf,
  enrolledStore,
  enrolmentKey,
  enrolmentSeed,
  type RunningServer,
  scriptedTrainer,
  startServer,
  tinyClient,
  tinyTask,
} from './support.ts'

let folder: string
const open: FastifyInstance[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-enrolment-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()))
  await rm(folder, { recursive: true, force: true })
})

const three = { cohort: { minimum: 3, target: 3, overSelection: 1 } }
const OPERATOR = `fwo_${'k'.repeat(43)}`

async function started(...args: Parameters<typeof startServer>): Promise<RunningServer> {
  const server = await startServer(...args)
  open.push(server.app)
  return server
}

const newcomer = async (url: string, name: string, options: object = {}) =>
  tinyClient(url, name, {
    store: memoryStore(),
    trainer: scriptedTrainer({ delta: deltaOf(0), examples: 1, loss: 1, accuracy: 0 }).trainer,
    ...options,
  })

test('three clients enrol with one counted token at a service apart, a fourth is refused, and the round commits', async () => {
  const tokens = new TokenBook(folder)
  const desk = new EnrolmentDesk({ curves: nodeCurves, seed: enrolmentSeed, check: tokens })
  const service = await buildEnrolmentServer({ desk })
  open.push(service)
  const enrolAt = await service.listen({ host: '127.0.0.1', port: 0 })
  const { url, app } = await started(tinyTask(three), { enrolment: { key: enrolmentKey, url: enrolAt } })
  expect(await (await fetch(`${url}/v1/enrolment`)).json()).toEqual({
    holder: 'external',
    key: Buffer.from(enrolmentKey).toString('hex'),
    url: enrolAt,
  })
  expect(app.hub.task('tiny').status.trust).toBe('malicious server')

  await expect((await newcomer(url, 'no token')).run()).rejects.toMatchObject({ code: 'FL_ENROLMENT_REFUSED' })
  const { token } = await tokens.create({ uses: 3 })
  const clients = await Promise.all(['a', 'b', 'c'].map((name) => newcomer(url, name, { token })))
  const runs = await Promise.all(clients.map((client) => client.run()))
  expect(runs.map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  await expect((await newcomer(url, 'd', { token })).run()).rejects.toMatchObject({
    code: 'FL_ENROLMENT_REFUSED',
    message: 'the invite token is used up',
  })
  await expect((await newcomer(url, 'e', { token, enrolmentUrl: url })).run()).rejects.toMatchObject({
    code: 'FL_CERTIFICATE_INVALID',
  })
})

test('the enrolment service says that it is ready, documents its routes and counts who asked and what came of it', async () => {
  const tokens = new TokenBook(folder)
  const desk = new EnrolmentDesk({ curves: nodeCurves, seed: enrolmentSeed, check: tokens })
  const service = await buildEnrolmentServer({ desk, tokens, operator: { keyHash: hashOfKey(OPERATOR) } })
  open.push(service)
  const url = await service.listen({ host: '127.0.0.1', port: 0 })
  expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready' })
  const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: object }
  const routes = [
    '/health',
    '/metrics',
    '/ready',
    '/v1/enrol',
    '/v1/enrolment',
    '/v1/openapi.json',
    '/v1/tokens',
    '/v1/tokens/{id}',
  ]
  expect(Object.keys(paths).sort()).toEqual(routes)

  const { token } = await tokens.create({ uses: 1 })
  const { url: server } = await started(tinyTask(three), { enrolment: { key: enrolmentKey, url } })
  const stop = new AbortController()
  const admitted = await newcomer(server, 'in', { token })
  const connected = new Promise((resolve) => admitted.on('connection', resolve))
  const run = admitted.run({ signal: stop.signal }).catch(() => undefined)
  await connected
  await expect((await newcomer(server, 'out', { token })).run()).rejects.toMatchObject({ code: 'FL_ENROLMENT_REFUSED' })
  stop.abort()
  await run
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const counted = [
    ...metrics.matchAll(/^fedweave_request_seconds_count\{method="POST",route="\/v1\/enrol",status="(\d+)"\} (\d+)/gm),
  ]
  expect(counted.map(([, status, count]) => [status, count])).toEqual([
    ['200', '1'],
    ['403', '1'],
  ])
  expect(metrics).toContain('nodejs_eventloop_lag_seconds')
})

test('a client whose certificate has expired enrols again with the token that it had, and needs no further use of it', async () => {
  const tokens = new TokenBook(folder)
  const { url } = await started(tinyTask(three), { enrolment: { seed: enrolmentSeed, check: tokens } })
  const { token } = await tokens.create({ uses: 3 })
  const stores = ['a', 'b', 'c'].map(() => memoryStore())
  const run = async () => {
    const clients = await Promise.all(stores.map((store, i) => newcomer(url, `again-${i}`, { store, token })))
    return Promise.all(clients.map((client) => client.run()))
  }
  expect((await run()).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  for (const store of stores) {
    const kept = decode(certificate, (await store.certificate()) as Uint8Array)
    await store.saveCertificate(encode(certificate, { ...kept, notAfter: 1000 }))
  }
  expect((await run()).map(({ rounds }) => rounds)).toEqual([0, 0, 0]) // the task is finished, and they may hear it
  for (const store of stores)
    expect(decode(certificate, (await store.certificate()) as Uint8Array).notAfter).toBeGreaterThan(Date.now() / 1000)
  expect(await tokens.list()).toMatchObject([{ uses: 3, used: 3 }])
})

test('a server that holds the key itself says what that protects from, whomever it certifies', async () => {
  const tokens = new TokenBook(folder)
  for (const enrolment of [{ seed: enrolmentSeed }, { seed: enrolmentSeed, check: tokens }]) {
    const { url, app } = await started(tinyTask(three), { enrolment })
    expect(await (await fetch(`${url}/v1/enrolment`)).json()).toMatchObject({
      holder: 'server',
      mode: 'check' in enrolment ? 'token' : 'open',
    })
    expect(app.hub.task('tiny').status.trust).toBe('honest-but-curious server only')
    expect(app.hub.task('tiny').history.config.enrolment.holder).toBe('server')
  }
})

test('routes of the operator take the API key and nothing that a client has', async () => {
  const tokens = new TokenBook(folder)
  const { url, app } = await started(tinyTask(three), { operator: { keyHash: hashOfKey(OPERATOR) }, tokens })
  const sessions: string[] = []
  const join = app.hub.task('tiny').join.bind(app.hub.task('tiny'))
  app.hub.task('tiny').join = (entry, session, ...rest) => {
    sessions.push(session)
    return join(entry, session, ...rest)
  }
  const stop = new AbortController()
  const running = (await newcomer(url, 'a', { store: await enrolledStore('a') })).run({ signal: stop.signal })
  running.catch(() => undefined)
  await expect.poll(() => sessions.length).toBe(1)
  const { token } = await tokens.create({ uses: 1 })
  const call = (authorization: string | undefined, method = 'GET', path = '/v1/tokens', body?: object) =>
    fetch(url + path, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const strangers = [undefined, '', 'Bearer ', `Bearer ${sessions[0]}`, `Bearer ${token}`, 'Bearer a.b.c', 'Basic YTpi']
  for (const authorization of strangers) {
    for (const method of ['GET', 'POST']) {
      const answer = await call(authorization, method, '/v1/tokens', method === 'POST' ? {} : undefined)
      expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
        401,
        'FL_OPERATOR_ONLY',
      ])
    }
  }
  const operator = `Bearer ${OPERATOR}`
  const made = await call(operator, 'POST', '/v1/tokens', { uses: 2, label: 'ward' })
  expect(made.status).toBe(201)
  const { id } = (await made.json()) as { id: string }
  expect((await call(operator, 'DELETE', `/v1/tokens/${id}`)).status).toBe(204)
  const { tokens: listed } = (await (await call(operator)).json()) as { tokens: object[] }
  expect(listed).toContainEqual(expect.objectContaining({ id, uses: 2, used: 0, revoked: true, label: 'ward' }))
  expect((await call(operator, 'POST', '/v1/tokens', { uses: 0 })).status).toBe(400)
  stop.abort()
})

test('the API key is made once, in a file that its owner alone reads, and neither it nor a token is in the log', async () => {
  const log = new PassThrough()
  let logged = ''
  log.setEncoding('utf8').on('data', (text: string) => {
    logged += text
  })
  const config = parseEnrolmentConfig({ listen: { port: 0 }, data: folder })
  const options = { logger: { level: 'trace', stream: log }, warn: () => undefined }
  const first = await serveEnrolment(config, options)
  open.push(first.app)
  const key = (await readFile(join(folder, 'operator-api.key'), 'utf8')).trim()
  expect((await stat(join(folder, 'operator-api.key'))).mode & 0o777).toBe(0o600)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const made = await fetch(`${first.url}/v1/tokens`, { method: 'POST', headers, body: '{}' })
  const { token } = (await made.json()) as { token: string }
  await fetch(`${first.url}/v1/enrol`, { method: 'POST', headers, body: JSON.stringify({ token }) })
  await first.app.close()

  const second = await serveEnrolment(config, options)
  open.push(second.app)
  expect((await readFile(join(folder, 'operator-api.key'), 'utf8')).trim()).toBe(key)
  expect((await fetch(`${second.url}/v1/tokens`, { headers })).status).toBe(200)
  expect(second.enrolmentKey).toBe(first.enrolmentKey)
  expect(logged).toContain('/v1/tokens')
  for (const secret of [key, token, token.split('_').at(-1) as string]) expect(logged).not.toContain(secret)
})

test('an API key that other users can read stops the start with the cure', async () => {
  const config = parseEnrolmentConfig({ listen: { port: 0 }, data: folder })
  const path = join(folder, 'operator-api.key')
  await writeFile(path, 'k'.repeat(40), { mode: 0o644 })
  await expect(serveEnrolment(config, { warn: () => undefined })).rejects.toMatchObject({
    code: 'FL_KEYSTORE',
    message: expect.stringContaining('other users can read'),
    cure: expect.stringContaining(`chmod 600 ${path}`),
  })
})
