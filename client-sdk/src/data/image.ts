import { FedweaveError } from '@fedweave/aggregator'
import type { InputSpec } from './examples.ts'

/** Anything that a canvas can draw: a canvas, an image, a video's present frame, a decoded bitmap. */
export type Picture = HTMLCanvasElement | OffscreenCanvas | HTMLImageElement | HTMLVideoElement | ImageBitmap | VideoFrame

export interface PictureOptions {
  /** Dark ink on light paper becomes light on dark, as in MNIST. */
  readonly invert?: boolean
}

/**
 * A picture as one example of [height, width, channels]: scaled to that size, its values from 0 to 1; grey for one channel, red, green
 * and blue for three. What is transparent counts as black. Throws `FL_DATASET_SHAPE` where the task takes no such pictures.
 */
export function valuesOf(picture: Picture, { inputShape }: InputSpec, { invert = false }: PictureOptions = {}): Float32Array {
  const [height = 0, width = 0, channels = 0, ...rest] = inputShape
  if (rest.length > 0 || (channels !== 1 && channels !== 3)) {
    throw new FedweaveError('FL_DATASET_SHAPE', `the task takes examples of [${inputShape.join(', ')}], which are no pictures`)
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('this browser gives no more canvases')
  context.fillStyle = 'black'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  const values = new Float32Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [red, green, blue] = [data[4 * pixel] as number, data[4 * pixel + 1] as number, data[4 * pixel + 2] as number]
    if (channels === 1)
      values[pixel] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255 // ITU-R BT.601
    else values.set([red / 255, green / 255, blue / 255], 3 * pixel)
  }
  return invert ? values.map((value) => 1 - value) : values
}
