import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServeProcess, serveProcess } from './run-cli.ts'

describe('fedweave serve --app', () => {
  let data: string
  let server: ServeProcess

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'fedweave-app-'))
    server = await serveProcess('--app', '--data', data)
  })
  afterAll(async () => {
    await server?.stop()
    await rm(data, { recursive: true })
  })
  const get = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init)

  it('serves the page under a policy that allows no text as code, and each of its files as what it is', async () => {
    const page = await get('/app')
    expect(page.url).toBe(`${server.url}/app/`)
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self' 'wasm-unsafe-eval';/)
    const html = await page.text()
    const [script = ''] = /assets\/index-[\w-]+\.js/.exec(html) ?? []
    const { status, headers } = await get(`/app/${script}`)
    expect(status).toBe(200)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    const again = await get(`/app/${script}`, { headers: { 'if-none-match': String(headers.get('etag')) } })
    expect(again.status).toBe(304)
  })

  it('tells the page its task and the keys to pin', async () => {
    expect(await (await get('/app/config.json')).json()).toEqual({
      task: 'mnist',
      operatorKey: server.operatorKey,
      enrolmentKey: server.enrolmentKey,
      shards: { count: 100, examples: 600 },
    })
  })

  it('lends parts of MNIST that differ, and refuses what is none', async () => {
    const [first, second] = await Promise.all(['0', '99'].map(async (shard) => (await get(`/app/mnist/${shard}`)).arrayBuffer()))
    expect([first?.byteLength, second?.byteLength]).toEqual([600 * 785, 600 * 785])
    expect(new Uint8Array(first as ArrayBuffer)).not.toEqual(new Uint8Array(second as ArrayBuffer))
    for (const path of ['/app/mnist/100', '/app/mnist/x', '/app/nothing.js', '/app/..%2f..%2fpackage.json'])
      expect((await get(path)).status).toBeGreaterThanOrEqual(400)
  })
})
