import { describe, expect, it } from 'vitest'
import { splitRows } from '../../../client-sdk/src/training/split.ts'

const parts = (rows: number, fraction: number, seed?: number) => {
  const split = splitRows(rows, { validation: { fraction, ...(seed === undefined ? {} : { seed }) } })
  return { training: [...split.training], validation: [...split.validation] }
}

describe('splitRows', () => {
  it('leaves all rows for training, in their order, where nothing is kept', () => {
    expect(splitRows(4, {})).toEqual({ training: Uint32Array.of(0, 1, 2, 3), validation: new Uint32Array(0) })
  })

  it('puts every row into exactly one part', () => {
    for (const rows of [2, 3, 10, 101]) {
      const { training, validation } = parts(rows, 0.3)
      expect([...training, ...validation].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row))
    }
  })

  it.each([
    [10, 0.3, 3],
    [100, 0.25, 25],
    [7, 0.5, 4],
    [5, 0.01, 1],
    [2, 0.9, 1],
    [3, 0.99, 2],
  ])('keeps of %d rows at %d: %d', (rows, fraction, kept) => {
    expect(parts(rows, fraction).validation).toHaveLength(kept)
  })

  it('is the same each time, another one for another seed, and seed 0 where none is given', () => {
    expect(parts(50, 0.2, 7)).toEqual(parts(50, 0.2, 7))
    expect(parts(50, 0.2, 7)).not.toEqual(parts(50, 0.2, 8))
    expect(parts(50, 0.2)).toEqual(parts(50, 0.2, 0))
  })

  it('refuses what leaves a part empty', () => {
    for (const fraction of [0, 1, -0.1, Number.NaN]) {
      expect(() => parts(10, fraction)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
    expect(() => parts(1, 0.5)).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE' }))
  })
})
