import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { PassThrough } from 'node:stream'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { socketTransport, type Transport } from '@fedweave/client/simulation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rawHttp } from './raw-socket.ts'
import { deltaOf, type RunningServer, scriptedTrainer, startServer, tinyClient, tinyTask } from './support.ts'

let server: RunningServer
let logged: string
beforeEach(async () => {
  logged = ''
  const log = new PassThrough()
  log.setEncoding('utf8').on('data', (text: string) => {
    logged += text
  })
  server = await startServer(tinyTask({ cohort: { minimum: 3, target: 3, overSelection: 1 } }), {
    limits: { bodyBytes: 2048, uploadDeadlineMs: 1000, requestsPerSecond: 100_000 },
    logger: { level: 'trace', stream: log },
  })
})
afterEach(() => server.app.close())

async function roundCommits(): Promise<void> {
  const runs = [0, 1, 2].map(async (i) => {
    const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })
    return (await tinyClient(server.url, `next-${i}`, { trainer })).run()
  })
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
}

const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: { code: string } }).error.code]
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/v1/enrol`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

test('an oversize body, a compressed one, a poisoned one and one that is no JSON are typed errors', async () => {
  expect(await errorOf(await post(JSON.stringify({ identityKey: 'a'.repeat(3000) })))).toEqual([400, 'FL_MESSAGE_MALFORMED'])
  expect(await errorOf(await post('{}', { 'content-encoding': 'gzip' }))).toEqual([400, 'FL_MESSAGE_MALFORMED'])
  const poisoned = `{"identityKey":"${'0'.repeat(64)}","proof":"${'0'.repeat(128)}","__proto__":{"polluted":1}}`
  expect(await errorOf(await post(poisoned))).toEqual([400, 'FL_MESSAGE_MALFORMED'])
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
  for (const body of ['', 'null', '[]', '{"identityKey":1}', '{'])
    expect(await errorOf(await post(body))).toEqual([400, 'FL_MESSAGE_MALFORMED'])
  const put = await fetch(`${server.url}/v1/tasks/tiny/updates/${'0'.repeat(64)}`, {
    method: 'PUT',
    body: new Uint8Array(10),
    headers: { 'content-type': 'application/octet-stream', 'content-encoding': 'br' },
  })
  expect(await errorOf(put)).toEqual([400, 'FL_MESSAGE_MALFORMED'])
})

test('paths out of the folder, prototypes and line breaks in names are not found, and no log line is forged', async () => {
  const paths = [
    'tasks/tiny/models/..%2f..%2fjournal.log',
    'tasks/tiny/models/%2e%2e%2fnotes%2fconfig',
    'tasks/tiny/models/__proto__',
    'tasks/__proto__',
    'tasks/constructor/journal',
    'tasks/..%2f..%2fetc%2fpasswd',
    'tasks/tiny%0d%0a%7b%22level%22%3a60%7d',
    `tasks/${'a'.repeat(500)}`,
    'nothing%0ahere',
    'tasks/%zz',
  ]
  for (const path of paths) {
    const answer = await fetch(`${server.url}/v1/${path}`)
    expect([path, [400, 404].includes(answer.status)]).toEqual([path, true])
    expect(await answer.json()).toMatchObject({ error: { code: expect.stringMatching(/^FL_/) } })
  }
  const lines = logged.trim().split('\n')
  expect(lines.length).toBeGreaterThan(paths.length)
  for (const line of lines) expect((JSON.parse(line) as { level: number }).level).toBeLessThan(60)
})

test('an upload of one byte now and then is cut with a typed error within the deadline, and the whole one still counts', async () => {
  const answers: string[] = []
  const slowly = (): Transport => {
    const inner = socketTransport(server.url)
    return {
      ...inner,
      async upload(upload, signal) {
        const { socket, answer } = rawHttp(
          server.url,
          `PUT /v1/tasks/tiny/updates/${upload.context} HTTP/1.1\nHost: x\nAuthorization: Bearer ${upload.session}\n` +
            `Content-Type: application/octet-stream\nContent-Length: ${upload.sealed.length}\n\n`,
        )
        const drip = setInterval(() => socket.write('x'), 100)
        answers.push(await answer)
        clearInterval(drip)
        await inner.upload(upload, signal)
      },
    }
  }
  const runs = [0, 1, 2].map(async (i) => {
    const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })
    return (await tinyClient(server.url, `slow-${i}`, { trainer, ...(i === 0 ? { server: slowly } : {}) })).run()
  })
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(answers).toEqual([expect.stringMatching(/^HTTP\/1\.1 408 .*"code":"FL_UPLOAD_TIMEOUT"/s)])
  expect([server.app.staging.taken, server.app.staging.heldBytes]).toEqual([0, 0])
  const secrets = [...logged.matchAll(/Bearer [0-9a-f]{64}/g)]
  expect([logged.length > 1000, secrets]).toEqual([true, []])
})

test('10,000 random requests over every route leave the process as it was, and the next round commits', async () => {
  const routes = [
    ...[...server.app.printRoutes({ commonPrefix: false }).matchAll(/(\/[^\s(]*) \(([A-Z, ]+)\)/g)].flatMap(
      ([, path = '', methods = '']) => methods.split(', ').map((method) => ({ method, path })),
    ),
  ]
  expect(routes.length).toBeGreaterThan(10)
  const random = seededEntropy('random requests')
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const number = (below: number) => new DataView(random.bytes(4).buffer).getUint32(0) % below
  const url = new URL(server.url)
  const statuses = new Map<number, number>()
  const one = async () => {
    const { method, path } = routes[number(routes.length)] as { method: string; path: string }
    const filled = path.replace(/:\w+|\*/g, () => encodeURIComponent(Buffer.from(random.bytes(number(40))).toString('latin1')))
    if (filled.endsWith('/events')) return
    const body = random.bytes(number(300))
    const type = ['application/json', 'application/octet-stream', 'text/plain', 'multipart/form-data; boundary=x'][
      number(4)
    ] as string
    const sent = request({
      ...{ agent, host: url.hostname, port: url.port, method, path: filled },
      headers: { 'content-type': type, authorization: `Bearer ${Buffer.from(random.bytes(20)).toString('base64')}` },
    })
    sent.on('error', () => undefined)
    if (['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method))
      sent.end() // Node frames no body of these
    else sent.end(body)
    const outcome = await Promise.race([once(sent, 'response'), once(sent, 'close')])
    const [response] = outcome as [IncomingMessage | undefined]
    if (response === undefined) return
    statuses.set(response.statusCode ?? 0, (statuses.get(response.statusCode ?? 0) ?? 0) + 1)
    response.resume()
    await once(response, 'close')
  }
  for (let i = 0; i < 10_000; i += 50) await Promise.all(Array.from({ length: 50 }, one))
  agent.destroy()
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
  expect(server.app.staging.taken).toBe(0)
  await roundCommits()
})
