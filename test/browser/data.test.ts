import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {} from './data-page/main.ts'
import { hasChromium, launch } from './support/chromium.ts'
import { type Site, serveSite } from './support/site.ts'

describe.skipIf(!hasChromium())('sources of data in Chromium', () => {
  let site: Site
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    site = await serveSite({}, 'data-page')
    browser = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'])
    page = await browser.newPage()
    await page.goto(site.url)
  })
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  it('takes the files of a folder, each folder a class, scaled to what the task takes', async () => {
    const { xs, labels, shape } = await page.evaluate(async () => {
      const colours = { 'set/red/1.png': '#f00', 'set/blue/1.png': '#00f', 'set/blue/2.png': '#006' }
      const files = await Promise.all(Object.entries(colours).map(([path, colour]) => window.fileOf(colour, path)))
      const { xs, labels, shape } = await window.sources.fromImageFiles(files, { inputShape: [2, 1, 3], classes: 2 })
      return { xs: [...xs], labels: [...labels], shape }
    })
    const two = (...colour: number[]) => [...colour, ...colour]
    expect(xs.map((value) => Number(value.toFixed(6)))).toEqual([...two(1, 0, 0), ...two(0, 0, 1), ...two(0, 0, 0.4)])
    expect(labels).toEqual([1, 0, 0]) // by the order of the folders' names
    expect(shape).toEqual([2, 1, 3])
  })

  it('names the file that is no image', async () => {
    const error = await page.evaluate(() => {
      const files = [new File(['no image'], 'notes.txt')]
      return window.sources
        .fromImageFiles(files, { inputShape: [2, 2, 1], classes: 2 })
        .catch(({ code, message }) => ({ code, message }))
    })
    expect(error).toEqual({
      code: 'FL_DATASET_SHAPE',
      message: 'row 0 (notes.txt): this file is no image that the browser can read',
    })
  })

  it('takes a canvas in grey, upside down in light where that is asked for, and what is transparent as black', async () => {
    const values = await page.evaluate(() => {
      const canvas = document.createElement('canvas')
      canvas.width = 2
      canvas.height = 1
      const context = canvas.getContext('2d') as CanvasRenderingContext2D
      context.fillStyle = '#fff'
      context.fillRect(0, 0, 1, 1)
      const spec = { inputShape: [1, 2, 1], classes: 2 }
      return [window.sources.valuesOf(canvas, spec), window.sources.valuesOf(canvas, spec, { invert: true })].map((all) => [
        ...all,
      ])
    })
    expect(values).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  it('takes the present frame of a camera', async () => {
    const { count, most } = await page.evaluate(async () => {
      const video = document.createElement('video')
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true })
      await video.play()
      const values = window.sources.valuesOf(video, { inputShape: [28, 28, 1], classes: 10 })
      return { count: values.length, most: Math.max(...values) }
    })
    expect(count).toBe(784)
    expect(most).toBeGreaterThan(0.2) // the fake device shows a bright picture
  })

  it('takes the records of a table, values or pictures, and names the key of the one that does not fit', async () => {
    const outcome = await page.evaluate(async () => {
      const white = await window.fileOf('#fff', 'white.png')
      await new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('digits', 1)
        request.onupgradeneeded = () => {
          const table = request.result.createObjectStore('drawn')
          table.add({ grey: [0.5], digit: 3 }, 'a')
          table.add({ picture: white, digit: 1 }, 'b')
          table.add({ digit: 1 }, 'c')
        }
        request.onsuccess = () => {
          request.result.close()
          resolve()
        }
        request.onerror = () => reject(request.error)
      })
      type Row = { readonly grey?: number[]; readonly picture?: Blob; readonly digit: number }
      const read = ({ grey, picture, digit }: Row) => {
        const x = grey ?? picture
        return x === undefined ? undefined : { x, label: digit }
      }
      const from = (classes: number, table = 'drawn') =>
        window.sources
          .fromIndexedDb({ database: 'digits', table, read }, { inputShape: [1, 1, 1], classes })
          .then(({ xs, labels }) => ({ xs: [...xs], labels: [...labels] }))
          .catch(({ code, message }) => ({ code, message }))
      return [await from(10), await from(2), await from(10, 'lost')]
    })
    expect(outcome).toEqual([
      { xs: [0.5, 1], labels: [3, 1] },
      { code: 'FL_DATASET_SHAPE', message: 'row a: expected a label from 0 to 1, got 3' },
      { code: 'FL_STORAGE_DENIED', message: 'the table "lost" of "digits" cannot be read' },
    ])
  })
})
