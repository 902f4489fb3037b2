import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { type Federation, nodeClient, softmaxTask, startFederation } from './support/federation.ts'
import { buildCdn, bundlePacked, quickStart } from './support/packed.ts'
import { type Files, STRICT_CSP } from './support/site.ts'

const task = () => softmaxTask({ cohort: { minimum: 3, target: 3 } })

describe.skipIf(!hasChromium())('the quick start', () => {
  let browser: Browser
  let federation: Federation | undefined
  let cdn: Server | undefined

  beforeAll(async () => {
    browser = await launch()
  })
  afterEach(async () => {
    await federation?.close()
    cdn?.close()
    cdn?.closeAllConnections()
  })
  afterAll(() => browser?.close())

  /** What the page says while it takes part with two clients in Node. */
  async function sayings({ url }: Federation): Promise<string[]> {
    const page = await browser.newPage()
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', ({ message }) => said.push(message))
    await page.goto(url)
    await Promise.all([1, 2].map((client) => nodeClient(url, client).run()))
    await expect.poll(() => said.at(-1)).toMatch(/^round \d+ committed$/)
    await page.close()
    return said
  }

  it('has ten lines, and they take part as they stand, from the packed package', async () => {
    const code = quickStart()
    expect(code.trimEnd().split('\n')).toHaveLength(10)
    federation = await startFederation(task(), { files: await bundlePacked(code) })
    expect(await sayings(federation)).toEqual(['step 1 of 2', 'step 2 of 2', 'round 1 committed'])
  })

  it('runs without a bundler from a CDN on another origin', async () => {
    const { server, url } = await serveCdn(await buildCdn())
    cdn = server
    const code = quickStart()
      .replace("'@fedweave/client/browser'", `'${url}fedweave.js'`)
      .replace("'@fedweave/client/data'", `'${url}fedweave.js'`)
      .replace(", wasmPaths: '/wasm/'", '')
    const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>'
    const csp = STRICT_CSP.replace("script-src 'self'", `script-src 'self' ${url}`)
      .replace("connect-src 'self'", `connect-src 'self' ${url}`)
      .replace("worker-src 'self'", `worker-src blob: ${url}`)
    federation = await startFederation(task(), {
      files: new Map([
        ['/index.html', html],
        ['/main.js', code],
      ]),
      csp,
    })
    expect(await sayings(federation)).toEqual(['step 1 of 2', 'step 2 of 2', 'round 1 committed'])
  })
})

async function serveCdn(files: Files): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(({ url = '' }, response) => {
    const type = url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    response
      .writeHead(files.has(url) ? 200 : 404, { 'content-type': type, 'access-control-allow-origin': '*' })
      .end(files.get(url))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}
