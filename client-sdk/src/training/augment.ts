import { FedweaveError, type TrainingPlan } from '@fedweave/aggregator'
import { sinCos } from './elementary.ts'
import type { Random } from './random.ts'

/** Writes a varied copy of `example` into `out`, another array of the same length. */
export type Augment = (example: Float32Array, out: Float32Array) => void

/**
 * Varies an example as the plan asks, each time otherwise: images [height, width, channels] move by whole pixels, turn
 * about their centre (bilinear; from beyond an edge comes 0), and any example gets noise. Sums and products only, so that
 * one state of `random` gives the same values on every engine. Throws `FL_OUT_OF_RANGE` where examples are no images.
 */
export function augmenter({ augment }: Pick<TrainingPlan, 'augment'>, shape: readonly number[], random: Random): Augment {
  const { shift = 0, rotate = 0, noise = 0 } = augment ?? {}
  const moves = shift > 0 || rotate > 0
  if (moves && shape.length !== 3) {
    throw new FedweaveError('FL_OUT_OF_RANGE', `plan.augment: [${shape.join(', ')}] are no images to shift or rotate`)
  }
  const [height, width, channels] = shape as [number, number, number]
  return (example, out) => {
    if (moves) {
      const [down, right] = [offset(random, shift), offset(random, shift)]
      const angle = rotate > 0 ? (symmetric(random) * rotate * Math.PI) / 180 : 0
      if (angle === 0) move({ height, width, channels }, example, out, down, right)
      else turn({ height, width, channels }, example, out, down, right, angle)
    } else out.set(example)
    if (noise > 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + noise * bell(random)
  }
}

interface Size {
  readonly height: number
  readonly width: number
  readonly channels: number
}

function move({ height, width, channels }: Size, image: Float32Array, out: Float32Array, down: number, right: number): void {
  out.fill(0)
  const [from, to] = [Math.max(0, -right), Math.min(width, width - right)]
  if (from >= to) return
  for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
    const source = (y - down) * width
    out.set(image.subarray((source + from) * channels, (source + to) * channels), (y * width + from + right) * channels)
  }
}

/** Turns about the centre, clockwise as images are shown, then moves: each pixel asks where in the image it came from. */
function turn(size: Size, image: Float32Array, out: Float32Array, down: number, right: number, angle: number): void {
  const { height, width, channels } = size
  const { sin, cos } = sinCos(angle)
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromMiddleY, fromMiddleX] = [y - down - middleY, x - right - middleX]
      const sourceY = cos * fromMiddleY - sin * fromMiddleX + middleY
      const sourceX = sin * fromMiddleY + cos * fromMiddleX + middleX
      const [top, left] = [Math.floor(sourceY), Math.floor(sourceX)]
      const [lower, righter] = [sourceY - top, sourceX - left]
      for (let channel = 0; channel < channels; channel++) {
        const at = (py: number, px: number) =>
          py < 0 || py >= height || px < 0 || px >= width ? 0 : (image[(py * width + px) * channels + channel] as number)
        const above = at(top, left) * (1 - righter) + at(top, left + 1) * righter
        const below = at(top + 1, left) * (1 - righter) + at(top + 1, left + 1) * righter
        out[(y * width + x) * channels + channel] = above * (1 - lower) + below * lower
      }
    }
  }
}

/** A whole number from -most to most, each as likely. */
function offset(random: Random, most: number): number {
  return most > 0 ? random.below(2 * most + 1) - most : 0
}

/** Uniform over [-1, 1). */
function symmetric(random: Random): number {
  return random.uint32() / 2 ** 31 - 1
}

/**
 * Mean 0, variance 1, bell-shaped within 3.5 deviations: the sum of four uniform numbers of 16 bits (Irwin-Hall). A true
 * Gaussian would need logarithms, which engines round differently.
 */
function bell(random: Random): number {
  const [a, b] = [random.uint32(), random.uint32()]
  const sum = (a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff)
  return ((sum - 2 * 0xffff) / 2 ** 16) * Math.sqrt(3) // four times 1/12 is 1/3
}
