import type { TrainingPlan } from '@fedweave/aggregator'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { referenceRound, someMnist } from './support/round.ts'
import { type Site, serveSite } from './support/site.ts'

const adam: TrainingPlan = { epochs: 2, batchSize: 32, optimizer: 'adam', learningRate: 0.001 }
const everything: TrainingPlan = {
  ...adam,
  optimizer: 'adamw',
  decay: { kind: 'cosine' },
  proximal: 0.1,
  validation: { fraction: 0.2 },
  patience: 2,
  normalise: {},
  augment: { shift: 2, rotate: 15, noise: 0.05 },
}

describe.skipIf(!hasChromium())('a Web Worker in Chromium', () => {
  let round: Awaited<ReturnType<typeof referenceRound>>
  let site: Site
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    round = await referenceRound(someMnist(640))
    site = await serveSite(round.data)
    browser = await launch()
    page = await browser.newPage()
    await page.goto(site.url)
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  it.each([
    ['Adam', adam],
    ['all that a plan can ask for', everything],
  ])('gives the same bytes as Node with %s', async (_, plan) => {
    const here = await round.inNode(plan)
    const there = await page.evaluate((asked) => window.fedweave.trainInWorker(asked), round.toPage(plan))
    expect(there.backend).toMatchObject({ name: 'wasm', kernels: 'wasm-simd' })
    expect(there).toMatchObject(here)
    expect(there.reports).toBe(here.steps)
  })

  it('gives the same bytes twice', async () => {
    const asked = round.toPage(adam)
    const [first, second] = await page.evaluate(
      async (both) => [await window.fedweave.trainInWorker(both), await window.fedweave.trainInWorker(both)],
      asked,
    )
    expect(first?.deltaHash).toBe(second?.deltaHash)
  })

  it('that dies of a bug rejects its round, and the next round runs in a new one', async () => {
    const { error, steps } = await page.evaluate(
      (asked) => window.fedweave.crashAndRecover(asked),
      round.toPage({ ...adam, maxSteps: 1 }),
    )
    expect(error).toMatchObject({ name: 'FedweaveError', code: 'FL_TRAINER_CRASHED' })
    expect(error?.message).toMatch(/^the training worker died: .*undefined/)
    expect(steps).toBe(1)
  })

  it('holds as many tensors after 20 rounds as after one', async () => {
    const asked = round.toPage({ ...everything, maxSteps: 3 })
    const tensors = await page.evaluate((given) => window.fedweave.tensorsOver(given, 20), asked)
    expect(tensors).toEqual(Array(20).fill(tensors[0]))
  })

  // The processor may be busy with other things just then: it has three tries.
  it('leaves the page responsive: no task of its takes above 50 ms while it trains', { retry: 2 }, async () => {
    expect(await page.evaluate(() => window.fedweave.blockFor(80))).toHaveLength(1) // such a task would be seen
    const { longTasks, steps } = await page.evaluate((asked) => window.fedweave.trainInWorker(asked), round.toPage(adam))
    expect(steps).toBe(40)
    expect(longTasks).toEqual([])
  })
})
