import { concat, equalBytes, fromHex, toHex, utf8 } from '@fedweave/aggregator'
import { expect, test } from 'vitest'

test('hex, concatenation and comparison agree on bytes', () => {
  expect(toHex(concat(utf8('ab'), fromHex('00ff')))).toBe('616200ff')
  expect(equalBytes(fromHex('00ff'), fromHex('00ff'))).toBe(true)
  expect(equalBytes(fromHex('00ff'), fromHex('01ff'))).toBe(false)
  expect(equalBytes(fromHex('00ff'), fromHex('00'))).toBe(false)
})
