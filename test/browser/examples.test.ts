import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launch } from './support/chromium.ts'
import { nodeClient, softmaxTask, startFederation } from './support/federation.ts'
import { People } from './support/people.ts'
import { bundle } from './support/site.ts'

describe.skipIf(!hasChromium())('the examples', () => {
  let people: People
  let close: () => Promise<void>

  beforeAll(async () => {
    const browser = await launch()
    people = new People(browser)
    close = () => browser.close()
  })
  afterAll(() => close())

  it('of a React hook and of a custom element take part in one round, each as a client of its own', async () => {
    const task = softmaxTask({ cohort: { minimum: 3, target: 3 } })
    const federation = await startFederation(task, { files: await bundle('examples-page') })
    try {
      const page = await people.open(federation.url)
      await page.getByRole('button', { name: 'Join' }).click()
      await page.getByRole('button', { name: 'Take part' }).click()
      expect(await nodeClient(federation.url, 0).run()).toMatchObject({ rounds: 1 })
      await page.getByText('finished, round 1, 1 counted').waitFor()
      await page.locator('federated-task[outcome=committed]').waitFor()
      await page.getByRole('button', { name: 'Take part' }).waitFor() // it is over
    } finally {
      await federation.close()
    }
  })
})
