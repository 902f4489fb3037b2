import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const require = createRequire(new URL('../../server/package.json', import.meta.url))

/** The version of a package as the server gets it. */
function versionOf(name: string, by = require): string {
  const main = by.resolve(name)
  const root = main.slice(0, main.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length)
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

/** Lowest versions without a known hole that a stranger could use. */
test.each([
  ['socket.io', '4.6.2'],
  ['socket.io-parser', '4.2.7'],
  ['engine.io', '6.6.9'],
  ['ws', '8.21.0'],
])('%s is at least %s', (name, floor) => {
  const fromSocketIo = createRequire(join(dirname(require.resolve('socket.io')), 'index.js'))
  const fromEngineIo = createRequire(fromSocketIo.resolve('engine.io'))
  const version = versionOf(name, name === 'ws' ? fromEngineIo : name === 'engine.io' ? fromSocketIo : require)
  const [got, least] = [version, floor].map((text) => text.split('.').map(Number)) as [number[], number[]]
  const order = got.map((part, i) => part - (least[i] as number)).find((difference) => difference !== 0) ?? 0
  expect([name, version, order >= 0]).toEqual([name, version, true])
})
