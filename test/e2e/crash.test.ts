import { expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

test('20 kill -9 while clients train lose no committed round, tear no file, and count nobody twice', async () => {
  const { code, json, stderr } = await fedweave('bench', 'crash', '--kills', '20', '--rounds', '100', '--seed', '20', '--json')
  expect(stderr).toBe('')
  expect(json).toMatchObject({ kills: 20, problems: [], verified: true, journalRounds: 100 })
  expect(json.rounds).toBeGreaterThan(5)
  expect(json.acknowledged).toBeGreaterThan(15)
  expect(code).toBe(0)
}, 900_000)
