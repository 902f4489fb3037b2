import { expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

async function round(part: string, ...sizes: readonly string[]) {
  const { code, json, stderr } = await fedweave('bench', 'round', '--only', part, ...sizes, '--json')
  expect(stderr).toBe('')
  expect(Object.keys(json)).toEqual([part, 'verified'])
  expect(json.verified).toBe(true)
  expect(code).toBe(0)
  return json[part] as Record<string, unknown> & { readonly at: readonly { readonly round: number; readonly heldMB: number }[] }
}

test('26 whole clients in two processes complete one secure round in which all of them count', async () => {
  expect(await round('clients', '--clients', '26')).toMatchObject({ clients: 26, processes: 2, survivors: 26, aborted: [] })
})

test('20 rounds of three clients are all committed, and the last 16 leave less than 4 MB behind', async () => {
  const { at, ...measured } = await round('rounds', '--rounds', '20')
  expect(measured).toMatchObject({ rounds: 20, aborted: [] })
  expect(at.map(({ round }) => round)).toEqual([4, 20])
  const [early, late] = at.map(({ heldMB }) => heldMB) as [number, number]
  expect(late - early).toBeLessThan(4)
})
