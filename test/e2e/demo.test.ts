import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the demo trains MNIST over ten processes, loses two in mid-round, and its journal verifies', () => {
  const demo = spawnSync('npm', ['run', '-s', 'demo', '--', '--json'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  expect(demo.status, demo.stderr).toBe(0)
  const result = JSON.parse(demo.stdout.trim().split('\n').at(-1) ?? '')
  expect(result).toMatchObject({ clients: 10, dropouts: 2, rounds: 3, secure: true })
  expect(result.accuracy).toBeGreaterThanOrEqual(0.95)
  expect(result.recall).toBeGreaterThanOrEqual(0.94)
  expect(result.uploadBytesPerParam).toBeLessThanOrEqual(3.1)
  expect(result.seconds).toBeGreaterThan(0)
})
