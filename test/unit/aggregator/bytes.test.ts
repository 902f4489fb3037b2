import { concat, equalBytes, fromHex, toHex, utf8 } from '@fedweave/aggregator'
import { expect, test } from 'vitest'

test('hex, concatenation and comparison agree on bytes', () => {
  expect(toHex(concat(utf8('ab'), fromHex('00ff')))).toBe('616200ff')
  expect(equalBytes(fromHex('00ff'), fromHex('00ff'))).toBe(true)
  expect(equalBytes(fromHex('00ff'), fromHex('01ff'))).toBe(false)
  expect(equalBytes(fromHex('00ff'), fromHex('00'))).toBe(false)
})

test.each([0, 1, 32, 255, 256, 257, 5000])('the hex of %i bytes is what Node makes of them', (length) => {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 167) & 255)
  expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
  expect(fromHex(toHex(bytes), length)).toEqual(bytes)
})
