import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { page } from './pages.ts'

const bin = fileURLToPath(new URL('../../../simulations/bin/fedweave.js', import.meta.url))
const shown = [...page('docs/reference/cli.md').matchAll(/```text\n\$ npx fedweave (.*?)\n(.*?)```/gs)].map(
  ([, args = '', help = '']) => ({ args, help }),
)

test.concurrent.each(shown)(
  'the page shows what `fedweave $args` prints',
  async ({ args, help }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args.split(' ')])
    expect(help).toBe(stdout)
  },
  60_000, // processes of their own, on a machine that may be busy with other tests
)

test('every command has its help on the page', () => {
  const [, commands = ''] = /\nCommands:\n(.*)$/s.exec(shown[0]?.help ?? '') ?? []
  const names = [...commands.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name).filter((name) => name !== 'help')
  expect([...new Set(shown.slice(1).map(({ args }) => args.split(' ')[0]))]).toEqual(names)
})
