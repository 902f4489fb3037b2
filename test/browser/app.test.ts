import { readFile } from 'node:fs/promises'
import { FederatedClient, memoryStore } from '@fedweave/client'
import * as tf from '@tensorflow/tfjs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { mnist } from '../../simulations/src/data/mnist.ts'
import { draw, paint, type RunningApp, ring, type Stroke, startApp } from './support/app.ts'
import { hasChromium, launch } from './support/chromium.ts'
import { People } from './support/people.ts'
import { someMnist } from './support/round.ts'

const ZERO: readonly Stroke[] = [ring(0.42, 0.62)]
const ONE: readonly Stroke[] = [
  [
    [0.52, 0.15],
    [0.48, 0.85],
  ],
]
const THREE: readonly Stroke[] = [
  [...ring(0.36, 0.34).slice(-6, -1), ...ring(0.36, 0.34).slice(0, 13)].map(([x, y]) => [x, y - 0.16]),
  ring(0.42, 0.36)
    .slice(0, 18)
    .map(([x, y]) => [x, y + 0.17]),
]
const SEVEN: readonly Stroke[] = [
  [
    [0.28, 0.22],
    [0.72, 0.2],
    [0.56, 0.5],
    [0.46, 0.85],
  ],
]

describe.skipIf(!hasChromium())('the page on which people train together', () => {
  let browser: Browser
  let people: People
  let app: RunningApp

  beforeAll(async () => {
    app = await startApp()
    browser = await launch()
    people = new People(browser)
  })
  afterEach(() => people.leave())
  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  const open = async () => {
    const page = await people.open(app.url)
    await page.locator('#export:enabled').waitFor() // the task has been read
    return page
  }
  const answer = (page: Page) => page.locator('class-bars .answer')
  const says = (page: Page, digit: number) => answer(page).getByText(String(digit), { exact: true }).waitFor()

  it.each([
    [0, ZERO],
    [1, ONE],
    [3, THREE],
    [7, SEVEN],
  ])('reads a %s that was drawn by hand, with ten probabilities', async (digit, strokes) => {
    const page = await open()
    await draw(page, ...strokes)
    await says(page, digit)
    const shares = await page.locator('class-bars .share').allTextContents()
    expect(shares).toHaveLength(10)
    expect(shares.reduce((sum, share) => sum + Number.parseFloat(share), 0)).toBeCloseTo(100, 0)
    await page.click('#clear')
    await answer(page).getByText('–').waitFor()
  })

  it('reads test images of MNIST', async () => {
    const page = await open()
    const { xs, labels } = mnist(
      'test',
      Int32Array.from({ length: 30 }, (_, row) => row),
    )
    let right = 0
    for (const [row, label] of labels.entries()) {
      await page.click('#clear')
      await answer(page).getByText('–').waitFor()
      await paint(page, xs.subarray(row * 784, (row + 1) * 784))
      await answer(page).getByText(/\d/).waitFor()
      if ((await answer(page).textContent()) === String(label)) right++
    }
    expect(right).toBeGreaterThanOrEqual(27)
  })

  it('exports the model as TensorFlow.js loads it, with the weights that the task has', async () => {
    const page = await open()
    const files = new Map<string, Buffer>()
    page.on('download', async (download) => files.set(download.suggestedFilename(), await readFile(await download.path())))
    await page.click('#export')
    await expect.poll(() => [...files.keys()].sort(), { timeout: 20_000 }).toEqual(['model.json', 'weights.bin'])
    const { modelTopology, weightsManifest } = JSON.parse(String(files.get('model.json')))
    const weightData = Uint8Array.from(files.get('weights.bin') as Buffer).buffer
    const specs = weightsManifest[0].weights
    const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: specs, weightData }))
    const flat = Float32Array.from(model.getWeights().flatMap((tensor) => [...tensor.dataSync()]))
    expect(flat).toEqual(app.weights)
  })

  it('can be drawn on with the keys alone', async () => {
    const page = await open()
    await page.locator('draw-pad canvas').focus()
    for (let i = 0; i < 12; i++) await page.keyboard.press('Shift+ArrowDown')
    await says(page, 1)
  })

  it('keeps a named drawing over a reload, until it is thrown away', async () => {
    const page = await open()
    await draw(page, [
      [0.5, 0.2],
      [0.5, 0.8],
    ])
    await page.locator('#digits button:enabled', { hasText: '1' }).click()
    await page.getByText('1 digit, here only').waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Throw away this 1' }).click()
    await page.getByText('none yet: draw one').waitFor()
  })

  it('takes part in a secure round after the person agreed, shows it, and goes on reading with the new model', async () => {
    const page = await open()
    await page.click('#start')
    await page.getByRole('button', { name: 'Not now' }).click()
    await page.locator('#start:visible').click()
    await page.getByRole('button', { name: 'Take part' }).click()
    const stop = new AbortController()
    const dataset = someMnist(64)
    const others = [1, 2].map((seed) =>
      new FederatedClient({ url: app.server, task: 'digits', dataset, seed, store: memoryStore() })
        .run({ signal: stop.signal })
        .catch(() => undefined),
    )
    await page.locator('.thread.you').waitFor()
    await page.getByText('Your update is part of the model.').waitFor()
    await page.getByText(/^\d+ of 50 rounds are woven in\. The last one summed 3 people/).waitFor()
    expect(await page.locator('#sent').textContent()).toMatch(/^\d+ × 1\.[67] MB/)
    await page.click('#leave')
    await page.getByText(/^Thank you: your updates counted in \d+ rounds?\.$/).waitFor()
    stop.abort()
    await Promise.all(others)
    await draw(page, ...SEVEN)
    await says(page, 7)
  })

  it('reads on when the server is gone, and says that it is offline', async () => {
    const page = await open()
    await draw(page, ...ZERO)
    await says(page, 0)
    await page.context().setOffline(true)
    await page.locator('#state.out').waitFor()
    await page.click('#clear')
    await draw(page, ...ONE)
    await says(page, 1)
  })

  it('fetches a model once, and reads with it after a reload from what the browser keeps', async () => {
    const page = await open()
    const fetched: string[] = []
    page.context().on('request', (request) => request.url().includes('/models/') && fetched.push(request.url()))
    for (const _ of ['first', 'again']) {
      await draw(page, ...ONE)
      await says(page, 1)
      await page.reload()
      await page.locator('#export:enabled').waitFor()
    }
    expect(fetched).toHaveLength(1)
  })

  it('reads what the camera sees, and says so where it may not be used', async () => {
    const page = await open()
    await page.click('#by-camera')
    await page
      .getByRole('alert')
      .getByText(/camera/)
      .waitFor()
    const filming = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'])
    try {
      const other = await filming.newPage()
      await other.goto(app.url)
      await other.locator('#export:enabled').waitFor()
      await other.click('#by-camera')
      await other.locator('camera-view video').waitFor()
      await answer(other).getByText(/\d/).waitFor() // the fake device shows a moving figure
      await other.click('#by-hand')
      await answer(other).getByText('–').waitFor()
      expect(await other.evaluate(() => document.querySelector('video')?.srcObject)).toBe(null)
    } finally {
      await filming.close()
    }
  })

  it('reads on in a browser that cannot train, and says why it cannot', async () => {
    const old = await launch(['--js-flags=--no-enable-sse3 --no-enable-ssse3 --no-enable-sse4-1']) // no WebAssembly SIMD
    try {
      const page = await old.newPage()
      await page.goto(app.url)
      await page.locator('#export:enabled').waitFor()
      await page.click('#start')
      await page.getByRole('alert').getByText('This browser cannot train').waitFor()
      await draw(page, ...SEVEN)
      await says(page, 7)
    } finally {
      await old.close()
    }
  })

  it('says in words why somebody cannot join, and stays usable', async () => {
    const page = await people.open(`${app.url}#task=digits&operatorKey=${'0'.repeat(64)}`)
    await page.getByRole('alert').getByText('not the one that you were invited to').waitFor()
    const other = await people.open(`${app.url}#task=digits&operatorKey=${app.operatorKey}&enrolmentKey=${'0'.repeat(64)}`)
    await other.locator('#start').click()
    await other.getByRole('button', { name: 'Take part' }).click()
    await other.getByRole('alert').getByText('not the one that you were invited to').waitFor()
    await draw(other, ...ONE)
    await says(other, 1)
  })

  it('invites with a link and a QR code that carry the keys', async () => {
    const page = await open()
    await page.click('#invite')
    const link = (await page.locator('.link code').textContent()) as string
    expect(new URLSearchParams(new URL(link).hash.slice(1)).get('operatorKey')).toBe(app.operatorKey)
    expect(await page.locator('.qr svg').count()).toBe(1)
  })

  it('fits a phone: nothing sticks out at its side, and everything to press is large enough for a thumb', async () => {
    const page = await open()
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    const heights = await page
      .locator('button:visible')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height))
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(40)
  })

  it('moves nothing where the person wants no motion', async () => {
    const page = await open()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    const durations = await page.evaluate(() =>
      [...document.querySelectorAll('*')].map((element) => getComputedStyle(element).transitionDuration),
    )
    expect(new Set(durations)).toEqual(new Set(['0s']))
  })
})
