import type { TrainingPlan } from '@fedweave/aggregator'
import { referenceCnn } from '@fedweave/client/tfjs'
import { describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { referenceRound, someMnist } from './support/round.ts'
import { serveSite } from './support/site.ts'

/** The reference CNN with one linear output. */
const regressor = referenceCnn(1).replace('"units":10,"activation":"softmax"', '"units":1,"activation":"linear"')
const plan: TrainingPlan = { epochs: 2, batchSize: 32, optimizer: 'adam', learningRate: 0.001, loss: 'meanSquaredError' }

describe.skipIf(!hasChromium())('a Web Worker in Chromium', () => {
  it('trains a regressor on mean squared error to the same bytes as Node', async () => {
    const { xs, shape } = someMnist(320)
    const ink = Float32Array.from({ length: 320 }, (_, i) => xs.subarray(784 * i, 784 * (i + 1)).reduce((a, b) => a + b) / 100)
    const round = await referenceRound({ xs, shape, labels: ink }, regressor)
    const site = await serveSite(round.data)
    const browser = await launch()
    try {
      const page = await browser.newPage()
      await page.goto(site.url)
      const here = await round.inNode({ ...plan, validation: { fraction: 0.1 } })
      const asked = round.toPage({ ...plan, validation: { fraction: 0.1 } })
      const there = await page.evaluate((given) => window.fedweave.trainInWorker(given), asked)
      expect(there).toMatchObject(here)
      expect(here.loss).toBeLessThan(1)
      expect(here).not.toHaveProperty('accuracy')
      expect(Object.keys(here.validation ?? {})).toEqual(['examples', 'loss'])
    } finally {
      await browser.close()
      await site.close()
    }
  })
})
