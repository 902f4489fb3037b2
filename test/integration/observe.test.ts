import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { clientIdOf, toHex } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { TokenBook } from '@fedweave/server'
import { afterEach, expect, test } from 'vitest'
import { hashOfKey } from '../../server/src/access/operator.ts'
import {
  deltaOf,
  enrolmentSeed,
  operatorSeed,
  type RunningServer,
  scriptedTrainer,
  startServer,
  tinyClient,
  tinyTask,
} from './support.ts'

let server: RunningServer | undefined
afterEach(async () => {
  await server?.app.close()
  server = undefined
})

const three = { cohort: { minimum: 3, target: 3, overSelection: 1 } }
const OPERATOR = `fwo_${'k'.repeat(43)}`

/** The samples of `/metrics`, by name and labels. */
async function scrape(url: string): Promise<Map<string, number>> {
  const answer = await fetch(`${url}/metrics`)
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const samples = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

const trained = (i: number, ready?: () => Promise<unknown>) =>
  scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }, ready)

test('the metrics count the rounds, the phases, the drop-outs and the bytes of a committed and an aborted round', async () => {
  const deadlines = { recruitingMs: 10_000, setupMs: 5000, collectingMs: 60_000, confirmingMs: 5000, unmaskingMs: 5000 }
  const secureAggregation = { clipBound: 10, valueBits: 16, weighting: 'uniform', maxWeight: 1, dropout: 0.5 }
  const cohort = { minimum: 3, target: 4, overSelection: 1 }
  server = await startServer(tinyTask({ rounds: 1, cohort, deadlines, secureAggregation }), { reconnectMs: 0 })
  const { url, app, events } = server
  const task = app.hub.task('tiny')
  // In round 1 two of four leave while they train, too many; in round 2 one does, and the round is committed.
  const leavers = new Map([
    ['m-2', new AbortController()],
    ['m-3', new AbortController()],
  ])
  const collecting = new Set<number>()
  task.events.on('event', (event) => {
    if (event.type !== 'phase' || event.phase !== 'collecting') return
    collecting.add(event.round)
    if (event.round === 1) for (const leaver of leavers.values()) leaver.abort()
    else second.abort()
  })
  const second = new AbortController()
  const never = () => new Promise(() => undefined)
  const client = async (name: string, signal?: AbortSignal, ready?: () => Promise<unknown>) => {
    const made = await tinyClient(url, name, { trainer: trained(Number(name.at(-1)), ready).trainer })
    return made.run(signal === undefined ? {} : { signal })
  }
  const staying = [client('m-0'), client('m-1')]
  const gone = await Promise.allSettled([...leavers].map(([name, { signal }]) => client(name, signal, never)))
  expect(gone.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect.poll(() => events.some(({ type }) => type === 'aborted')).toBe(true)
  staying.push(client('m-4'))
  const last = client('m-5', second.signal, never).catch(({ code }: { code: string }) => code)
  expect((await Promise.all(staying)).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(await last).toBe('FL_STOPPED')
  expect([...collecting]).toHaveLength(2)

  const samples = await scrape(url)
  const one = (name: string, labels: Record<string, string> = {}) => {
    const all = Object.entries({ task: 'tiny', ...labels }).map(([label, value]) => `${label}="${value}"`)
    return samples.get(`${name}{${all.join(',')}}`)
  }
  expect(one('fedweave_rounds_total', { outcome: 'committed' })).toBe(1)
  expect(one('fedweave_rounds_total', { outcome: 'aborted' })).toBe(1)
  const { code } = events.find((event) => event.type === 'aborted') as { code: string }
  expect(one('fedweave_aborts_total', { code })).toBe(1)
  for (const phase of ['recruiting', 'setup', 'collecting']) expect(one('fedweave_phase_seconds_count', { phase })).toBe(2)
  for (const phase of ['confirming', 'unmasking']) expect(one('fedweave_phase_seconds_count', { phase })).toBe(1)
  expect(one('fedweave_dropouts_total', { phase: 'collecting' })).toBe(1)
  expect(one('fedweave_unmask_seconds_count')).toBe(1)
  expect(one('fedweave_unmask_seconds_sum')).toBeGreaterThan(0)
  const uploads = events.filter((event) => event.type === 'client' && event.progress === 'uploaded') as { bytes: number }[]
  expect(uploads.length).toBeGreaterThanOrEqual(3)
  expect(one('fedweave_updates_total')).toBe(uploads.length)
  expect(one('fedweave_update_bytes_total')).toBe(uploads.reduce((sum, { bytes }) => sum + bytes, 0))
  expect(samples.get('fedweave_received_bytes_total')).toBeGreaterThan(one('fedweave_update_bytes_total') as number)
  for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'fedweave_connections'])
    expect(samples.get(name)).toBeGreaterThan(0)
  await expect.poll(async () => (await scrape(url)).get('fedweave_websockets')).toBe(0)

  expect(await (await fetch(`${url}/metrics`)).text()).toContain('fedweave_privacy_epsilon{task="tiny"} +Inf\n')

  const text = [...samples.keys()].join('\n')
  const identities = ['m-0', 'm-2', 'm-4'].map((name) =>
    clientIdOf(nodeCurves.ed25519Public(seededEntropy(`integration/${name}`).bytes(32))),
  )
  for (const id of identities) expect(text).not.toContain(id)
})

test('a server that stops is alive, but not ready', async () => {
  server = await startServer(tinyTask(three))
  const { url, app } = server
  expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready', tasks: 1 })
  await app.hub.drain()
  const [ready, health] = await Promise.all([fetch(`${url}/ready`), fetch(`${url}/health`)])
  expect([ready.status, ready.headers.get('retry-after'), health.status]).toEqual([503, '10', 200])
  expect(await ready.json()).toMatchObject({ error: { code: 'FL_SERVER_BUSY' } })
})

test('after a round, an enrolment and calls of the operator the whole log, at its most talkative, holds no secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fedweave-log-'))
  const tokens = new TokenBook(folder)
  const log = new PassThrough()
  let logged = ''
  log.setEncoding('utf8').on('data', (text: string) => {
    logged += text
  })
  server = await startServer(tinyTask(three), {
    enrolment: { seed: enrolmentSeed, check: tokens },
    operator: { keyHash: hashOfKey(OPERATOR) },
    tokens,
    logger: { level: 'trace', stream: log },
  })
  const { url, app } = server
  const task = app.hub.task('tiny')
  const secrets: (string | Uint8Array)[] = [OPERATOR, operatorSeed, enrolmentSeed, app.hub.keys.coordinatorSecret]
  const join_ = task.join.bind(task)
  task.join = (entry, session, ...rest) => {
    secrets.push(session)
    return join_(entry, session, ...rest)
  }
  const call = (path: string, method = 'GET', body?: object) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${OPERATOR}`,
        ...(body && { 'content-type': 'application/json' }),
        cookie: 'sid=cookie-secret',
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  const { token } = (await (await call('/v1/tokens', 'POST', { uses: 3 })).json()) as { token: string }
  secrets.push(token, token.split('_').at(-1) as string, 'cookie-secret')
  expect((await call('/v1/tasks/tiny/pause', 'POST')).status).toBe(200)
  expect((await call('/v1/tasks/tiny/resume', 'POST')).status).toBe(200)
  await call(`/v1/tasks/nope?token=${token}`, 'DELETE')
  await fetch(`${url}/v1/tokens`, { headers: { authorization: `Bearer ${token}` } })
  await fetch(`${url}/v1/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  const names = ['l-0', 'l-1', 'l-2']
  secrets.push(...names.map((name) => seededEntropy(`integration/${name}`).bytes(32)))
  const pins = {}
  await Promise.all(
    names.map(async (name, i) => (await tinyClient(url, name, { trainer: trained(i).trainer, token, pins })).run()),
  )
  // What a careless line might log: the names of the fields are enough to keep the values out.
  app.log.info({ headers: { authorization: `Bearer ${OPERATOR}` }, token, request: { body: { token } } }, 'careless')
  app.log.error({ err: new Error('boom') }, 'an error is told with its stack')
  await rm(folder, { recursive: true, force: true })

  const lines = logged
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.find(({ msg }) => msg === 'careless')).toMatchObject({
    headers: { authorization: '(redacted)' },
    token: '(redacted)',
    request: { body: { token: '(redacted)' } },
  })
  expect(lines.filter(({ type }) => type === 'committed')).toMatchObject([{ task: 'tiny', round: 1 }])
  const ids = lines.flatMap(({ reqId }) => (typeof reqId === 'string' ? [reqId] : []))
  expect(new Set(ids).size).toBeGreaterThan(10)
  expect(ids.filter((id) => !/^[0-9a-f-]{36}$/.test(id))).toEqual([])
  expect(lines.some(({ req }) => (req as { url?: string } | undefined)?.url === '/v1/tasks/nope')).toBe(true)
  expect(secrets.length).toBeGreaterThanOrEqual(12)
  for (const secret of secrets.flatMap(spellings)) expect(logged.includes(secret), secret).toBe(false)
})

/** As a log might show it. */
function spellings(secret: string | Uint8Array): string[] {
  if (typeof secret === 'string') return [secret]
  const bytes = Buffer.from(secret)
  return [toHex(secret), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), [...secret].join(',')]
}
