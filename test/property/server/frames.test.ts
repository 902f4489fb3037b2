import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat } from '../../../aggregator/src/core/bytes.ts'
import { decodeFrames, encodeFrame } from '../../../server/src/storage/frames.ts'

const records = fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: 8 })

test('every prefix of a journal decodes to the records that it holds whole', () => {
  fc.assert(
    fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (list, where) => {
      const bytes = concat(...list.map(encodeFrame))
      const size = Math.floor(where * bytes.length)
      const decoded = decodeFrames(bytes.subarray(0, size), 'journal')
      let whole = 0
      let end = 0
      for (let next = 0; whole < list.length; whole++, end = next) {
        next += 16 + (list[whole] as Uint8Array).length
        if (next > size) break
      }
      expect(decoded.map(({ record }) => record)).toEqual(list.slice(0, whole))
      expect(decoded.at(-1)?.end ?? 0).toBe(end)
    }),
  )
})

test('one flipped bit in a whole journal is always refused, at the offset of its record', () => {
  fc.assert(
    fc.property(records, fc.nat(), (list, where) => {
      const frames = list.map(encodeFrame)
      const bytes = concat(...frames)
      const bit = where % (8 * bytes.length)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      let start = 0
      for (const frame of frames) {
        if (start + frame.length > bit >> 3) break
        start += frame.length
      }
      expect(() => decodeFrames(bytes, 'journal')).toThrow(`the record at byte ${start} is damaged`)
    }),
  )
})
