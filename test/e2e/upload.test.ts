import { expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

test('300 uploads that stall half-way take only the slots, hold less than 100 MB, and are all cut at their deadline', async () => {
  const { code, json } = await fedweave('bench', 'upload', '--uploads', '10', '--stalled', '300', '--json')
  expect(json).toMatchObject({ stalled: 300, stalledSlots: 16, stalledLeft: 0, verified: true })
  expect(json.bytes).toBeGreaterThan(2_600_000)
  expect(json.stalledMB).toBeLessThan(100)
  expect(code).toBe(0)
})
