import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer, tinyTask } from '../integration/support.ts'
import { hasChromium, launch } from './support/chromium.ts'

describe.skipIf(!hasChromium())('the reference page of the API', () => {
  let browser: Browser
  let server: RunningServer

  beforeAll(async () => {
    browser = await launch()
    server = await startServer(tinyTask())
  })
  afterAll(async () => {
    await browser?.close()
    await server?.app.close()
  })

  it('shows every operation, asks nobody but the server, and breaks no rule of its own policy', async () => {
    const page = await browser.newPage()
    const asked: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(`${server.url}/docs`)
    await page.locator('.opblock').first().waitFor()
    const shown = await page.locator('.opblock-summary').evaluateAll((blocks) =>
      blocks.map((block) => {
        const text = (name: string) => block.querySelector(`.opblock-summary-${name}`)?.textContent?.trim() ?? ''
        return `${text('method')} ${text('path').replaceAll('\u200b', '')}`
      }),
    )
    const { paths } = server.app.swagger() as { paths: Record<string, object> }
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(shown.sort()).toEqual(operations.sort())
    expect(asked.length).toBeGreaterThan(3)
    const foreign = asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))
    expect(foreign).toEqual([])
    expect(complaints).toEqual([])
    await page.locator('#operations-operate-post_v1_tasks').click()
    await page.locator('#operations-operate-post_v1_tasks .model-example').first().waitFor()
    expect(complaints).toEqual([])
  })
})
