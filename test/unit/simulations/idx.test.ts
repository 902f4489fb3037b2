import { expect, test } from 'vitest'
import { parseIdx } from '../../../simulations/src/data/idx.ts'

const header = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]

test('an array of bytes is read row by row', () => {
  const file = Uint8Array.of(...header, 1, 2, 3, 4, 5, 255)
  expect(parseIdx(file)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) })
})

test('a view into a larger buffer is read from its own start', () => {
  const file = Uint8Array.of(9, 9, 9, ...header, 1, 2, 3, 4, 5, 6).subarray(3)
  expect(parseIdx(file)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
})

test.each([
  ['empty', [], 'two zero bytes'],
  ['of another format', [0x1f, 0x8b, 8, 0, 0, 0], 'two zero bytes'],
  ['of floats', [0, 0, 0x0d, 1, 0, 0, 0, 0], 'got 0x0d'],
  ['cut in its header', header.slice(0, 11), 'the header of 2 dimensions needs 12 bytes, the file has 11'],
  ['cut in its data', [...header, 1, 2, 3, 4, 5], 'the shape [2, 3] needs 18 bytes, the file has 17'],
  ['too long', [...header, 1, 2, 3, 4, 5, 6, 7], 'the shape [2, 3] needs 18 bytes, the file has 19'],
])('a file %s is refused', (_, bytes, message) => {
  expect(() => parseIdx(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'FL_DATASET_SHAPE', message: expect.stringContaining(message) }),
  )
})
