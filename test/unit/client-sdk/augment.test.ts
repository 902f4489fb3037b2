import type { TrainingPlan } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import { augmenter } from '../../../client-sdk/src/training/augment.ts'
import { Random } from '../../../client-sdk/src/training/random.ts'

type Augment = NonNullable<TrainingPlan['augment']>

/** `count` variants of one example. */
function variants(augment: Augment, shape: number[], example: ArrayLike<number>, count: number, seed = 1): number[][] {
  const vary = augmenter({ augment }, shape, new Random(seed))
  const source = Float32Array.from(example)
  const drawn = Array.from({ length: count }, () => {
    const out = new Float32Array(source.length).fill(99) // every value must be written
    vary(source, out)
    return [...out]
  })
  expect([...source]).toEqual([...Float32Array.from(example)])
  return drawn
}

/** Every way to move a 3 x 3 image by up to `most` pixels, zeros coming in. */
function moved(image: number[], most: number): string[] {
  const offsets = Array.from({ length: 2 * most + 1 }, (_, i) => i - most)
  return offsets.flatMap((down) =>
    offsets.map((right) =>
      image
        .map((_, at) => {
          const [y, x] = [Math.floor(at / 3) - down, (at % 3) - right]
          return y < 0 || y > 2 || x < 0 || x > 2 ? 0 : (image[3 * y + x] as number)
        })
        .join(),
    ),
  )
}

describe('shift', () => {
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9]

  it.each([1, 2, 5])('moves by every whole number of pixels up to %d, and fills up with zeros', (shift) => {
    const seen = new Set(variants({ shift }, [3, 3, 1], image, 2000).map(String))
    expect([...seen].sort()).toEqual([...new Set(moved(image, shift))].sort())
  })

  it('moves the channels of a pixel together', () => {
    const seen = variants({ shift: 1 }, [1, 2, 3], [1, 2, 3, 4, 5, 6], 200).map(String)
    expect(new Set(seen)).toEqual(new Set(['1,2,3,4,5,6', '4,5,6,0,0,0', '0,0,0,1,2,3', '0,0,0,0,0,0']))
  })
})

describe('rotate', () => {
  it('keeps the centre where it is and every value between the least and the greatest', () => {
    const image = [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]
    for (const variant of variants({ rotate: 180 }, [3, 3, 1], image, 100)) {
      expect(variant[4]).toBeCloseTo(1, 6)
      for (const value of variant) expect(value >= 0 && value <= 1).toBe(true)
    }
  })

  it('is bilinear interpolation at where each pixel came from', () => {
    // A plane through the image is what bilinear interpolation gives back exactly, where nothing comes from beyond the edge.
    const side = 9
    const plane = (y: number, x: number) => 2 * (x - 4) + 3 * (y - 4)
    const image = Array.from({ length: side * side }, (_, at) => plane(Math.floor(at / side), at % side))
    for (const variant of variants({ rotate: 30 }, [side, side, 1], image, 20)) {
      const at = (y: number, x: number) => variant[y * side + x] as number
      // One step right and one step down are the gradient (2, 3), turned by the angle: of the same length, at a right angle.
      const [right, down] = [at(4, 5) - at(4, 4), at(5, 4) - at(4, 4)]
      expect(Math.hypot(right, down)).toBeCloseTo(Math.hypot(2, 3), 5)
      const angle = Math.atan2(down, right) - Math.atan2(3, 2)
      expect(Math.abs(angle)).toBeLessThanOrEqual((30 * Math.PI) / 180 + 1e-6)
      expect(at(3, 6)).toBeCloseTo(2 * right - down, 4)
    }
  })

  it('turns both ways, and by up to the given degrees', () => {
    const dot = (side: number) => Array.from({ length: side * side }, (_, at) => (at === (side - 1) / 2 ? 1 : 0)) // top middle
    const side = 21
    const angles = variants({ rotate: 90 }, [side, side, 1], dot(side), 400).map((variant) => {
      const [y, x] = variant.reduce(
        ([sy, sx], v, at) => [sy + v * (Math.floor(at / side) - 10), sx + v * ((at % side) - 10)],
        [0, 0],
      )
      return (Math.atan2(x, -y) * 180) / Math.PI
    })
    expect(Math.min(...angles)).toBeLessThan(-80)
    expect(Math.max(...angles)).toBeGreaterThan(80)
    expect(Math.abs(angles.reduce((sum, angle) => sum + angle, 0) / angles.length)).toBeLessThan(8)
  })
})

describe('noise', () => {
  it('has mean 0 and the given deviation, on examples of any shape', () => {
    const values = variants({ noise: 0.5 }, [4], [1, 1, 1, 1], 25_000).flat()
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(1, 2)
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2)
    expect(Math.max(...values.map((x) => Math.abs(x - 1)))).toBeLessThanOrEqual(0.5 * Math.sqrt(12))
  })
})

describe('augmenter', () => {
  const all: Augment = { shift: 2, rotate: 20, noise: 0.1 }
  const image = Array.from({ length: 5 * 5 * 3 }, (_, i) => i / 75)

  it('gives the same variants for the same seed, other ones for another seed, and no two alike', () => {
    const drawn = variants(all, [5, 5, 3], image, 20)
    expect(variants(all, [5, 5, 3], image, 20)).toEqual(drawn)
    expect(variants(all, [5, 5, 3], image, 20, 2)).not.toEqual(drawn)
    expect(new Set(drawn.map(String)).size).toBe(20)
  })

  it('refuses to shift or rotate what is no image', () => {
    for (const augment of [{ shift: 1 }, { rotate: 1 }]) {
      expect(() => variants(augment, [75], image, 1)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
  })
})
