import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Staging } from '../../../server/src/uploads/staging.ts'

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40_000 }), { maxLength: 12 })

const keep = async (update: Uint8Array) => update

test('however a body is cut, its bytes come back if their number is the expected one, and only then', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: -2, max: 2 }), async (list, off) => {
      const staging = new Staging({
        slots: 1,
        slotsPerClient: 1,
        mostBytes: 1e9,
        deadlineMs: 60_000,
        minimumBytesPerSecond: 1,
        rateWindowMs: 5_000,
      })
      const body = Buffer.concat(list)
      const expected = Math.max(0, body.length + off)
      const received = staging.receive(Readable.from(list.map((each) => Buffer.from(each))), expected, keep)
      if (expected === body.length) expect(Buffer.compare(await received, body)).toBe(0)
      else await expect(received).rejects.toMatchObject({ code: 'FL_UPDATE_SHAPE' })
      expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
    }),
  )
})
