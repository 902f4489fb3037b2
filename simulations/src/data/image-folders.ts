import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { decode as decodePng } from 'fast-png'
import jpeg from 'jpeg-js'
import type { Federation } from '../scenarios/scenario.ts'

interface Image {
  readonly width: number
  readonly height: number
  readonly channels: number
  /** Row-major, channels last, from 0 to 1. */
  readonly values: Float32Array
}

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => Image>> = { '.png': png, '.jpg': jpg, '.jpeg': jpg }

/**
 * One folder a class, with PNG or JPEG images of one size in it: values from 0 to 1, [height, width, channels] without alpha. Throws
 * `FL_DATASET_SHAPE` naming the image that does not fit.
 */
export async function imageFolders(root: string): Promise<Federation> {
  const entries = await readdir(root, { withFileTypes: true })
  const classNames = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  if (classNames.length < 2) throw misfit(root, `expected two folders or more, one a class, got ${classNames.length}`)
  const images: Image[] = []
  const labels: number[] = []
  for (const [label, name] of classNames.entries()) {
    const files = (await readdir(join(root, name))).filter((file) => Object.hasOwn(DECODERS, extname(file).toLowerCase())).sort()
    for (const file of files) {
      const path = join(root, name, file)
      const image = read(path, new Uint8Array(await readFile(path)))
      const [first = image] = images
      if (image.values.length !== first.values.length || image.width !== first.width)
        throw misfit(path, `it is ${size(image)}, the first image ${size(first)}: scale all to one size`)
      images.push(image)
      labels.push(label)
    }
  }
  const [first] = images
  if (first === undefined) throw misfit(root, 'its folders hold no .png, .jpg or .jpeg')
  const width = first.values.length
  const xs = new Float32Array(new SharedArrayBuffer(4 * width * images.length))
  for (const [i, { values }] of images.entries()) xs.set(values, i * width)
  const shape = [first.height, first.width, first.channels]
  const all = { xs, shape, labels: Int32Array.from(labels), classes: classNames.length }
  return { train: all, test: all, classNames }
}

function read(path: string, bytes: Uint8Array): Image {
  const decode = DECODERS[extname(path).toLowerCase()] as (bytes: Uint8Array) => Image
  try {
    return decode(bytes)
  } catch (cause) {
    throw misfit(path, `it cannot be decoded: ${(cause as Error).message}`, cause)
  }
}

function png(bytes: Uint8Array): Image {
  const { width, height, channels, data, depth, palette } = decodePng(bytes)
  if (palette !== undefined) throw new Error('it has a palette; save it in grey or in colours')
  const kept = channels === 2 || channels === 4 ? channels - 1 : channels // without alpha
  return { width, height, channels: kept, values: scaled(data, channels, kept, 2 ** depth - 1) }
}

function jpg(bytes: Uint8Array): Image {
  const { width, height, data } = jpeg.decode(bytes, { useTArray: true })
  return { width, height, channels: 3, values: scaled(data, 4, 3, 255) }
}

function scaled(data: ArrayLike<number>, channels: number, kept: number, most: number): Float32Array {
  return Float32Array.from({ length: (data.length / channels) * kept }, (_, i) => {
    return (data[Math.floor(i / kept) * channels + (i % kept)] as number) / most
  })
}

function size({ width, height, channels }: Image): string {
  return `${width} x ${height} x ${channels}`
}

function misfit(path: string, message: string, cause?: unknown): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', `${path}: ${message}`, { cause })
}
