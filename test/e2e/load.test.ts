import { expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

async function load(part: string, ...sizes: readonly string[]) {
  const { code, json, stderr } = await fedweave('bench', 'load', '--only', part, ...sizes, '--json')
  expect(stderr).toBe('')
  expect(Object.keys(json)).toEqual([part, 'verified'])
  expect(json.verified).toBe(true)
  expect(code).toBe(0)
  return json[part] as Record<string, unknown> & { readonly at: readonly { readonly round: number; readonly heldMB: number }[] }
}

test('200 idle clients are all joined at once, and hold less than 40 KB each in the server', async () => {
  const measured = await load('idle', '--idle', '200')
  expect(measured).toMatchObject({ clients: 200, processes: 1 })
  expect(measured.heldKBPerClient).toBeGreaterThan(5)
  expect(measured.heldKBPerClient).toBeLessThan(40)
  expect(measured.rssMB).toBeLessThan(350)
})

test('a round for 20 of 200 clients reaches all 20', async () => {
  const measured = await load('announce', '--connected', '200', '--cohort', '20')
  expect(measured).toMatchObject({ clients: 200, cohort: 20 })
  expect(measured.announceMs).toBeGreaterThan(0)
})

test('26 whole clients in two processes complete one secure round in which all of them count', async () => {
  expect(await load('clients', '--clients', '26')).toMatchObject({ clients: 26, processes: 2, survivors: 26, aborted: [] })
})

test('20 rounds of three clients are all committed, and the last 16 leave less than 4 MB behind', async () => {
  const { at, ...measured } = await load('rounds', '--rounds', '20')
  expect(measured).toMatchObject({ rounds: 20, aborted: [] })
  expect(at.map(({ round }) => round)).toEqual([4, 20])
  const [early, late] = at.map(({ heldMB }) => heldMB) as [number, number]
  expect(late - early).toBeLessThan(4)
})
