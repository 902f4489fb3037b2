import { expect, test } from 'vitest'
import { simulateCommand } from '../../../simulations/src/commands/simulate-options.ts'
import { PARTITIONERS } from '../../../simulations/src/partition/spec.ts'
import { findScenario, SCENARIO_NAMES, SCENARIOS } from '../../../simulations/src/scenarios/index.ts'
import { page, tableRows } from './pages.ts'

const text = page('docs/simulations/index.md')
const rows = tableRows(text)
const nameOf = (cell = '') => /`([^`]+)`/.exec(cell)?.[1]

test('the page lists every scenario once, and --help names the same', () => {
  const listed = rows.map(([cell]) => nameOf(cell)).filter((name) => SCENARIO_NAMES.includes(name ?? ''))
  expect(listed).toEqual(SCENARIO_NAMES)
  expect(simulateCommand().registeredArguments[0]?.description.split(', ')).toEqual(SCENARIO_NAMES)
})

test.each(Object.keys(SCENARIOS))('%s is the name of its scenario, and --help and defaults fit together', async (name) => {
  const scenario = await findScenario(name)
  expect(scenario.name).toBe(name)
  expect(Object.keys(PARTITIONERS)).toContain(scenario.defaults.partition.name)
})

test.each(Object.entries(PARTITIONERS))('the row of %s names its parameters with their defaults', (name, { parameters }) => {
  const [, shown = ''] = rows.find(([cell]) => cell === `\`${name}\``) ?? []
  const found = [...shown.matchAll(/`([a-z-]+)`(?: \(([^:)]*))?/g)].map(([, parameter, standard]) => [parameter, standard])
  expect(found).toEqual(Object.entries(parameters).map(([parameter, { default: standard }]) => [parameter, String(standard)]))
})
