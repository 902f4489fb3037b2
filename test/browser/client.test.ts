import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launch, launchProfile } from './support/chromium.ts'
import { type Federation, nodeClient, softmaxTask, startFederation } from './support/federation.ts'
import { startImpostor } from './support/impostor.ts'
import { heard, join, outcome, People } from './support/people.ts'

describe.skipIf(!hasChromium())('a client in Chromium', () => {
  let browser: Browser
  let people: People
  let federation: Federation

  beforeAll(async () => {
    browser = await launch()
    people = new People(browser)
    federation = await startFederation(softmaxTask({ rounds: 100, cohort: { minimum: 3, target: 3, overSelection: 1 } }))
  })
  afterEach(() => people.leave())
  afterAll(async () => {
    await browser?.close()
    await federation?.close()
  })
  const open = () => people.open(federation.url)
  const nodes = (signal: AbortSignal) =>
    [1, 2].map((client) =>
      nodeClient(federation.url, client)
        .run({ signal })
        .catch(() => undefined),
    )

  it('is refused in a second tab of the same browser, and the first one stays undisturbed', async () => {
    const first = await join(await open(), 0)
    await heard(first, 'connection', { state: 'connected' })
    const second = await first.context().newPage()
    await second.goto(federation.url)
    await join(second, 0)
    expect(await outcome(second)).toMatchObject({ name: 'FedweaveError', code: 'FL_SESSION_REPLACED' })
    await first.evaluate(() => window.client.leave())
    expect(await outcome(first)).toEqual({ rounds: 0 })
    await join(second, 0)
    await heard(second, 'connection', { state: 'connected' })
  })

  it('takes no part while it is paused, and does again when it is resumed', async () => {
    const stop = new AbortController()
    const page = await join(await open(), 0)
    await heard(page, 'connection', { state: 'connected' })
    await page.evaluate(() => window.client.pause())
    await federation.event((event) => event.type === 'clients' && event.connected === 0)
    const others = nodes(stop.signal)
    await federation.event((event) => event.type === 'clients' && event.connected === 2)
    const before = await page.evaluate(() => window.client.events().map(([type, event]) => (type === 'waiting' ? event : type)))
    expect(before.slice(-1)).toEqual([{ reasons: ['paused'] }])
    await page.evaluate(() => window.client.resume())
    await heard(page, 'round', { outcome: 'committed' })
    stop.abort()
    await Promise.all(others)
  })

  it('waits for a page that can be seen, and for enough examples, and says so', async () => {
    const page = await join(await open(), 0, { examples: 'none', conditions: { page: 'hidden' } })
    await heard(page, 'waiting', { reasons: ['page-visible'] })
    const hide = () => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' })
      document.dispatchEvent(new Event('visibilitychange'))
    }
    await page.evaluate(hide)
    await heard(page, 'waiting', { reasons: ['too-few-examples'] })
    await page.evaluate(() => window.client.change('0'))
    await heard(page, 'connection', { state: 'connected' })
  })

  it('sends nothing without consent', async () => {
    const page = await open()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await join(page, 0, { consents: false })
    expect(await outcome(page)).toMatchObject({ code: 'FL_STOPPED' })
    expect(requests.filter((url) => !url.includes('/data/'))).toEqual([])
  })

  it.each([
    ['a task that is not there', { task: 'nothing' }, 'FL_TASK_UNKNOWN'],
    ['a server that is not there', { url: 'http://127.0.0.1:9' }, 'FL_SERVER_UNREACHABLE'],
    ['an operator that is not the pinned one', { pins: { operatorKey: '00'.repeat(32) } }, 'FL_PIN_MISMATCH'],
  ])('gives %s as a typed error', async (_, options, code) => {
    const page = await join(await open(), 0, options)
    expect(await outcome(page)).toMatchObject({ name: 'FedweaveError', code })
  })

  it('gives a server that takes nobody more as a typed error', async () => {
    const small = await startFederation(softmaxTask(), { limits: { clients: 1 } })
    try {
      const [first, second] = [await people.open(small.url), await people.open(small.url)]
      await heard(await join(first, 0), 'connection', { state: 'connected' })
      expect(await outcome(await join(second, 1))).toMatchObject({ name: 'FedweaveError', code: 'FL_SERVER_BUSY' })
    } finally {
      await small.close()
    }
  })

  it('gives a task that is for clients elsewhere as a typed error', async () => {
    const elsewhere = await startFederation(softmaxTask({ eligibility: { runtimes: ['node'] } }))
    try {
      const message = 'the task is for clients in node, and this one runs in browser'
      expect(await outcome(await join(await people.open(elsewhere.url), 0))).toMatchObject({ code: 'FL_NOT_ELIGIBLE', message })
    } finally {
      await elsewhere.close()
    }
  })

  it('gives a server of another version as a typed error', async () => {
    const page = await join(await open(), 0, { database: 'elsewhere' })
    await heard(page, 'connection', { state: 'connected' })
    await page.reload()
    const impostor = await startImpostor()
    await join(page, 0, { database: 'elsewhere', url: impostor.url }) // its certificate lies there already
    expect(await outcome(page)).toMatchObject({
      code: 'FL_PROTOCOL_VERSION',
      message: 'no common protocol version: here fedweave/v1; there fedweave/v9',
    })
    await impostor.close()
  })

  it('goes on in memory where the browser keeps no data, and warns', async () => {
    const profile = await mkdtemp(joinPath(tmpdir(), 'fedweave-profile-'))
    await mkdir(joinPath(profile, 'Default'))
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } } // storage of all kinds
    await writeFile(joinPath(profile, 'Default', 'Preferences'), JSON.stringify(blocked))
    const context = await launchProfile(profile)
    try {
      const page = await context.newPage()
      await page.goto(federation.url)
      await join(page, 0)
      await heard(page, 'warning', { code: 'FL_STORAGE_DENIED' })
      await heard(page, 'connection', { state: 'connected' })
    } finally {
      await context.close()
      await rm(profile, { recursive: true })
    }
  })

  it('names WebAssembly SIMD where the browser has none', async () => {
    const old = await launch(['--js-flags=--no-enable-sse3 --no-enable-ssse3 --no-enable-sse4-1'])
    try {
      const page = await old.newPage()
      await page.goto(federation.url)
      await join(page, 0)
      expect(await outcome(page)).toMatchObject({
        code: 'FL_BROWSER_UNSUPPORTED',
        message: 'this browser has no WebAssembly SIMD',
      })
    } finally {
      await old.close()
    }
  })
})
