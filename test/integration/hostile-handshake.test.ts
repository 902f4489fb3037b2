import type { Socket } from 'node:net'
import { toHex } from '@fedweave/aggregator'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closed, connected, handshake, rawConnection, rawHttp, sendMessage } from './raw-socket.ts'
import { joinTokenOf, type RunningServer, startServer, tinyTask } from './support.ts'

const HANDSHAKE_MS = 300
const APP = 'https://app.example.org'

let server: RunningServer
const sockets: Socket[] = []
beforeEach(async () => {
  server = await startServer(tinyTask(), {
    origins: [APP],
    limits: { handshakeMs: HANDSHAKE_MS, clients: 4, clientsPerAddress: 3, requestsPerSecond: 100 },
  })
  server.app.server.on('connection', (socket: Socket) => sockets.push(socket))
})
afterEach(async () => {
  sockets.length = 0
  await server.app.close()
})

const hex = (...args: Parameters<typeof joinTokenOf>) => toHex(joinTokenOf(...args))

test('no, an expired, a forged, a stale and a replayed join token, and a foreign origin, are refused before the upgrade', async () => {
  const { url, app } = server
  const good = hex('a')
  const refused = {
    none: { join: '' },
    malformed: { join: 'ff'.repeat(180) },
    'not even hex': { join: '..%2f' },
    expired: { join: hex('a', { notAfter: 1000 }) },
    forged: { join: hex('a', { by: 'mallory' }) },
    stale: { join: hex('a', { at: Date.now() - 400_000 }) },
    'a foreign origin': { origin: 'https://evil.example.org' },
    'an opaque origin': { origin: 'null' },
  }
  for (const [name, attempt] of Object.entries(refused)) expect([name, await handshake(url, attempt)]).toEqual([name, 400])
  expect(app.io.engine.clientsCount).toBe(0)
  expect(await handshake(url, { join: good })).toBe(101)
  expect(await handshake(url, { join: good })).toBe(400)
  expect(await handshake(url, { origin: APP, name: 'b' })).toBe(101)
  expect(await handshake(url, { origin: url, name: 'c' })).toBe(101)
})

test('the route of admission gives the reason that a refused upgrade cannot', async () => {
  const { url } = server
  const ask = async (join: string, origin?: string) => {
    const answer = await fetch(`${url}/v1/admission`, {
      headers: { authorization: `Join ${join}`, ...(origin === undefined ? {} : { origin }) },
    })
    return answer.status === 204 ? 204 : ((await answer.json()) as { error: { code: string } }).error.code
  }
  expect(await ask('')).toBe('FL_IDENTITY_PROOF')
  expect(await ask(hex('a', { notAfter: 1000 }))).toBe('FL_CERTIFICATE_INVALID')
  expect(await ask(hex('a', { by: 'mallory' }))).toBe('FL_IDENTITY_PROOF')
  expect(await ask(hex('a'), 'https://evil.example.org')).toBe('FL_ORIGIN_REFUSED')
  const once = hex('a')
  expect([await ask(once), await ask(once)]).toEqual([204, 'FL_IDENTITY_PROOF'])
})

test('whoever never finishes the handshake is closed, at whatever step it stops', async () => {
  const { url, app } = server
  const silent = rawHttp(url, '')
  const half = rawHttp(url, 'GET /health HTTP/1.1\nHost: x\n')
  const upgraded = await rawConnection(url, { name: 'a' })
  const unnamed = await connected(url, { name: 'b' })
  await Promise.all([silent.answer, half.answer, closed(upgraded), closed(unnamed)])
  expect(await half.answer).toMatch(/^HTTP\/1\.1 408 /)
  await expect.poll(() => app.io.engine.clientsCount).toBe(0)
  expect(app.hub.task('tiny').status.clients.connected).toBe(0)
})

test('ten attachments of 8 MB before anything is known of the sender: closed at the first, with less than 2 MB read', async () => {
  const socket = await connected(server.url)
  const large = new Uint8Array(8 * 1024 * 1024)
  socket.send('4510-["fw",{"_placeholder":true,"num":0}]')
  for (let i = 0; i < 10; i++) socket.send(large)
  await closed(socket)
  expect(sockets.length).toBe(1)
  expect(sockets[0]?.bytesRead).toBeLessThan(2 * 1024 * 1024)
  await expect.poll(() => server.app.io.engine.clientsCount).toBe(0)
})

test.each([
  ['two attachments', '452-["fw",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'],
  ['text under the event', '42["fw","text"]'],
  ['a message before hello', undefined],
  ['no Socket.IO packet', '4{{{'],
  ['a reserved event', '42["disconnect"]'],
  ['a prototype', '42["__proto__",{"__proto__":{"x":1}}]'],
])('%s costs the connection and nothing else', async (_name, text) => {
  const socket = await connected(server.url)
  if (text === undefined) sendMessage(socket, new Uint8Array([200]))
  else {
    socket.send(text)
    socket.send(new Uint8Array(10))
    socket.send('42["fw"]')
  }
  await closed(socket)
  expect(({} as { x?: number }).x).toBeUndefined()
  expect(await handshake(server.url, { name: 'next' })).toBe(101)
})

test('one address has its share of the connections, and gets it back when they end', async () => {
  const { url } = server
  const three = await Promise.all(['a', 'b', 'c'].map((name) => rawConnection(url, { name })))
  expect(await handshake(url, { name: 'd' })).toBe(400)
  const answer = await fetch(`${url}/v1/admission`, { headers: { authorization: `Join ${hex('e')}` } })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
  expect(await answer.json()).toMatchObject({
    error: { code: 'FL_SERVER_BUSY', message: expect.stringContaining('clientsPerAddress') },
  })
  three[0]?.terminate()
  await expect.poll(() => handshake(url, { name: 'f' })).toBe(101)
  for (const socket of three) socket.terminate()
})

test('a forwarded address is believed from a trusted proxy only, and all addresses together have their bound', async () => {
  const trusting = await startServer(tinyTask(), { trustProxy: ['127.0.0.1'], limits: { clients: 2, clientsPerAddress: 1 } })
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
  const open = await rawConnection(trusting.url, { name: 'a', ...from('192.0.2.1') })
  expect(await handshake(trusting.url, { name: 'b', ...from('192.0.2.1') })).toBe(400)
  const second = await rawConnection(trusting.url, { name: 'c', ...from('192.0.2.2') })
  expect(await handshake(trusting.url, { name: 'd', ...from('192.0.2.3') })).toBe(400) // both connections of the server are taken
  for (const socket of [open, second]) socket.terminate()
  await expect.poll(() => handshake(trusting.url, { name: 'e', ...from('192.0.2.3') })).toBe(101)
  await trusting.app.close()

  const pretending = await Promise.all(
    [1, 2, 3].map((i) => rawConnection(server.url, { name: `p${i}`, ...from(`192.0.2.${i}`) })),
  )
  expect(await handshake(server.url, { name: 'q', ...from('192.0.2.9') })).toBe(400)
  for (const socket of pretending) socket.terminate()
})

test('more requests than the rate of an address are answered with 429 and when to come back', async () => {
  const { url } = server
  const statuses: number[] = []
  for (let i = 0; i < 40; i++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/health`)))
    for (const answer of answers) {
      statuses.push(answer.status)
      if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1')
      await answer.arrayBuffer()
    }
    if (statuses.includes(429)) break
  }
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(1000)
})
