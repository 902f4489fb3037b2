import { describe, expect, it } from 'vitest'
import { type Ink, inkOfPhoto, SIDE, toDigit } from '../../../docs/examples/draw-a-digit/src/digit.ts'

/** Ink where `inside` says so. */
function inkOf(width: number, height: number, inside: (x: number, y: number) => boolean): Ink {
  const values = Float32Array.from({ length: width * height }, (_, i) => (inside(i % width, Math.floor(i / width)) ? 1 : 0))
  return { values, width, height }
}

/** Rows and columns that hold ink, from the first to the last. */
function extent(digit: Float32Array) {
  const at = [...digit.keys()].filter((i) => (digit[i] as number) > 0)
  const [xs, ys] = [at.map((i) => i % SIDE), at.map((i) => Math.floor(i / SIDE))]
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) }
}

describe('a drawing as MNIST has it', () => {
  it('is nothing where there is no ink', () => {
    expect(toDigit(inkOf(300, 300, () => false))).toBeUndefined()
  })

  it('fills 20 of 28 pixels with its longer side, keeps its ratio, and lies in the middle, wherever it was drawn', () => {
    for (const [left, top] of [
      [0, 0],
      [140, 60],
      [200, 100],
    ] as const) {
      const digit = toDigit(inkOf(300, 300, (x, y) => x >= left && x < left + 100 && y >= top && y < top + 200)) as Float32Array
      expect(extent(digit)).toEqual({ left: 9, right: 18, top: 4, bottom: 23 })
      expect(digit.every((value) => value === 0 || value === 1)).toBe(true)
    }
  })

  it('keeps all ink inside when its mass lies at one end', () => {
    const digit = toDigit(inkOf(200, 200, (x, y) => y > 180 || x === 100)) as Float32Array
    expect(extent(digit)).toMatchObject({ top: expect.any(Number), bottom: expect.any(Number) })
    expect(extent(digit).bottom).toBeLessThan(SIDE)
    expect(extent(digit).bottom - extent(digit).top).toBe(19)
  })

  it('has of a pixel that is covered in part that part', () => {
    const digit = toDigit(inkOf(30, 30, (x, y) => y < 15 || x < 1)) as Float32Array // 1.5 pixels of the drawing for each
    const grey = new Set([...digit].filter((value) => value > 0 && value < 1).map((value) => value.toFixed(3)))
    expect(grey).toEqual(new Set(['0.667']))
  })

  it('is taken from a photo by what is darker than its surroundings, in uneven light', () => {
    const [width, height] = [120, 120]
    const data = new Uint8ClampedArray(4 * width * height)
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)]
      const light = 120 + x // brighter to the right
      const value = x >= 55 && x < 65 && y >= 20 && y < 100 ? light - 90 : light
      data.set([value, value, value, 255], 4 * i)
    }
    const { values } = inkOfPhoto({ data, width, height })
    const inked = [...values.keys()].filter((i) => (values[i] as number) > 0.5)
    expect(inked.every((i) => i % width >= 55 && i % width < 65)).toBe(true)
    expect(inked.length).toBe(10 * 80)
  })

  it('is nothing of an even surface', () => {
    const data = new Uint8ClampedArray(4 * 100 * 100).fill(200)
    expect(inkOfPhoto({ data, width: 100, height: 100 }).values.every((value) => value === 0)).toBe(true)
  })
})
