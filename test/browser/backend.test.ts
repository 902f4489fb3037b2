import type { TrainingPlan } from '@fedweave/aggregator'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { referenceRound, someMnist } from './support/round.ts'
import { type Site, serveSite } from './support/site.ts'

/** In Chromium without a GPU, SwiftShader emulates WebGL. */
describe.skipIf(!hasChromium())('the backend in Chromium', () => {
  let round: Awaited<ReturnType<typeof referenceRound>>
  let site: Site
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    round = await referenceRound(someMnist(128))
    site = await serveSite(round.data)
    browser = await launch()
  })

  beforeEach(async () => {
    page = await browser.newPage() // the choice is made once in a page
    await page.goto(site.url)
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  it('is wasm, because WebGL is emulated by SwiftShader', async () => {
    const backend = await page.evaluate(() => window.fedweave.backend({}))
    expect(backend).toMatchObject({ name: 'wasm', kernels: 'wasm-simd' })
    expect(backend.reason).toMatch(/^webgl is emulated in software \(.*SwiftShader/)
  })

  it('is the faster one of wasm and SwiftShader where emulation is allowed, by a probe of both', async () => {
    const { name, reason } = await page.evaluate(() => window.fedweave.backend({ allowSoftwareGpu: true }))
    const [, wasm, webgl] = /^wasm takes ([\d.]+) ms for a training step; webgl takes ([\d.]+) ms$/.exec(reason) ?? []
    expect({ wasm, webgl, reason }).toMatchObject({ wasm: expect.any(String), webgl: expect.any(String) })
    expect(name).toBe(Number(webgl) < Number(wasm) ? 'webgl' : 'wasm')
  })

  it('becomes wasm when the context of WebGL is lost, and the round starts again as if it had been wasm from the start', async () => {
    const plan: TrainingPlan = { epochs: 1, batchSize: 32, optimizer: 'adam', learningRate: 0.001 }
    const here = await round.inNode(plan)
    const there = await page.evaluate((asked) => window.fedweave.trainUntilLost(asked), round.toPage(plan))
    expect(there).toMatchObject({
      before: { name: 'webgl', kernels: 'stock' },
      after: { name: 'wasm', kernels: 'wasm-simd', reason: 'webgl lost its GPU' },
      lost: true,
      reported: [1, 2, 1, 2, 3, 4],
    })
    expect(there).toMatchObject(here)
  })
})
