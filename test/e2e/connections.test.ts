import { expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

async function connections(part: string, ...sizes: readonly string[]) {
  const { code, json, stderr } = await fedweave('bench', 'connections', '--only', part, ...sizes, '--json')
  expect(stderr).toBe('')
  expect(Object.keys(json)).toEqual([part, 'verified'])
  expect(json.verified).toBe(true)
  expect(code).toBe(0)
  return json[part] as Record<string, unknown>
}

test('200 idle clients are all joined at once, and hold less than 40 KB each in the server', async () => {
  const measured = await connections('idle', '--idle', '200')
  expect(measured).toMatchObject({ clients: 200, processes: 1 })
  expect(measured.heldKBPerClient).toBeGreaterThan(5)
  expect(measured.heldKBPerClient).toBeLessThan(40)
  expect(measured.rssMB).toBeLessThan(350)
})

test('a round for 20 of 200 clients reaches all 20', async () => {
  const measured = await connections('announce', '--connected', '200', '--cohort', '20')
  expect(measured).toMatchObject({ clients: 200, cohort: 20 })
  expect(measured.announceMs).toBeGreaterThan(0)
})
