import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeModel, localTrainer, referenceCnn } from '@fedweave/client/tfjs'
import { parseServerConfig, serve } from '@fedweave/server'
import type { Page } from 'playwright-core'
import { appRoutes } from '../../../simulations/src/app/routes.ts'
import { someMnist } from './round.ts'

export interface RunningApp {
  /** Of the page. */
  readonly url: string
  readonly server: string
  readonly operatorKey: string
  readonly weights: Float32Array
  close(): Promise<void>
}

/** A server whose one task starts from a CNN that was trained here on 3,000 digits, with the example app beside it. */
export async function startApp(): Promise<RunningApp> {
  const folder = await mkdtemp(join(tmpdir(), 'fedweave-app-'))
  const topology = join(folder, 'cnn.json')
  const initialWeights = join(folder, 'weights.bin')
  const weights = await trainedWeights()
  await writeFile(topology, referenceCnn(1))
  await writeFile(initialWeights, new Uint8Array(weights.buffer))
  const cohort = { minimum: 3, target: 3 }
  const task = { id: 'digits', model: { topology, initialWeights }, rounds: 50, cohort, plan: { maxSteps: 4 } }
  const config = parseServerConfig({ data: join(folder, 'data'), listen: { port: 0 }, tasks: [task] })
  const { app, url, operatorKey } = await serve(config, { warn: () => undefined, plugins: [await appRoutes('digits')] })
  return {
    url: `${url}/app/`,
    server: url,
    operatorKey,
    weights,
    async close() {
      await app.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function trainedWeights(): Promise<Float32Array> {
  const { model, weights } = await describeModel(referenceCnn(1))
  const trainer = localTrainer(someMnist(3000))
  try {
    const plan = { epochs: 3, batchSize: 32, optimizer: 'adam', learningRate: 0.001, augment: { shift: 1, rotate: 10 } } as const
    const { delta } = await trainer.train({ model, weights, plan, seed: 1 })
    return weights.map((weight, i) => weight + (delta[i] as number))
  } finally {
    await trainer.close()
  }
}

/** Corners of one stroke, as shares of the drawing area's sides. */
export type Stroke = readonly (readonly [x: number, y: number])[]

/** Draws with the mouse, stroke by stroke. */
export async function draw(page: Page, ...strokes: readonly Stroke[]): Promise<void> {
  const canvas = page.locator('draw-pad canvas')
  await canvas.scrollIntoViewIfNeeded()
  const { x, y, width, height } = (await canvas.boundingBox()) as { x: number; y: number; width: number; height: number }
  for (const [first, ...others] of strokes) {
    const at = ([right = 0, down = 0]: readonly number[]) => [x + right * width, y + down * height] as const
    await page.mouse.move(...at(first ?? []))
    await page.mouse.down()
    for (const corner of others) await page.mouse.move(...at(corner), { steps: 5 })
    await page.mouse.up()
  }
}

/** Puts an image of 28 x 28 on the drawing area, as ink. */
export function paint(page: Page, digit: Float32Array): Promise<void> {
  return page.evaluate((values) => {
    const small = new OffscreenCanvas(28, 28)
    const pixels = new ImageData(28, 28)
    for (const [i, value] of values.entries()) pixels.data[4 * i + 3] = 255 * value
    small.getContext('2d')?.putImageData(pixels, 0, 0)
    const canvas = document.querySelector('draw-pad canvas') as HTMLCanvasElement
    canvas.getContext('2d')?.drawImage(small, 0, 0, canvas.width, canvas.height)
    const pad = document.querySelector('draw-pad') as HTMLElement & { touched(): void }
    pad.touched()
  }, Array.from(digit))
}

/** An ellipse around the middle, as a stroke. */
export function ring(width: number, height: number): Stroke {
  return Array.from({ length: 25 }, (_, i) => [
    0.5 + (width / 2) * Math.sin((i * Math.PI) / 12),
    0.5 - (height / 2) * Math.cos((i * Math.PI) / 12),
  ])
}
