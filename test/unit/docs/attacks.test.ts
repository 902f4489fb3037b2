import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { defences, type Edit } from '../../attacks/defences.ts'
import { page, tableRows } from './pages.ts'

const known: Readonly<Record<string, readonly Edit[]>> = defences
const root = fileURLToPath(new URL('../../../', import.meta.url))
const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string)
const rows = tableRows(page('docs/attacks.md')).map(([attack = '', , , switches, code, tests]) => ({
  attack,
  switches: quoted(switches),
  code: quoted(code),
  tests: quoted(tests),
}))

describe.each(rows)('$attack', ({ switches, code, tests }) => {
  test('its code is where its defences are switched off', () => {
    const files = switches.flatMap((name) => known[name]?.map(([file]) => file) ?? [`no defence ${name}`])
    expect(code.filter((file) => !existsSync(`${root}aggregator/src/${file}`))).toEqual([])
    if (switches.length > 0) expect([...new Set(files)].sort()).toEqual([...code].sort())
  })

  test('its test is there', () => {
    expect(tests).toHaveLength(1)
    expect(existsSync(`${root}test/attacks/${tests[0]}`)).toBe(true)
  })
})

test.each(rows.filter(({ switches }) => switches.length > 0))(
  'the control of "$attack" switches off what its row says',
  (row) => {
    const { switches, tests } = row
    expect(page(`test/attacks/${tests[0]}`)).toContain(`off: [${switches.map((name) => `'${name}'`).join(', ')}]`)
  },
)

test('every defence that has a switch, and every file of the suite, is in a table', () => {
  expect([...new Set(rows.flatMap(({ switches }) => switches))].sort()).toEqual(Object.keys(defences).sort())
  const files = readdirSync(`${root}test/attacks`).filter((name) => name.endsWith('.test.ts'))
  expect([...new Set(rows.flatMap(({ tests }) => tests))].sort()).toEqual(files.sort())
})
