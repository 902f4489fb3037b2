import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseEnrolmentConfig, parseServerConfig } from '../../../server/src/config/parse.ts'
import { enrolmentConfig, serverConfig } from '../../../server/src/config/schema.ts'
import { variableOf } from '../../../server/src/config/sources.ts'
import { page, tableRows } from './pages.ts'
import { cellsOf, fieldsOf, type Schema } from './schema.ts'

const text = page('docs/reference/server-config.md')
const [written = '', ofEnrolment = ''] = text.split('## Of the enrolment service')
const rows = tableRows(written.split('## Environment')[0] as string)
const fields = fieldsOf(serverConfig as Schema)
const minimal = { tasks: [{ id: 't', model: { topology: 'model.json' } }] }

test('the example configs are ones that the programs take', () => {
  const [server = '', enrolment = ''] = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example]) => example as string)
  expect(parseServerConfig(parseYaml(server)).tasks[0]?.id).toBe('digits')
  expect(parseEnrolmentConfig(parseYaml(enrolment)).enrolment.mode).toBe('jwt')
})

test('the page lists every field of the schema, and no other', () => {
  expect(rows.map(([field]) => field)).toEqual(fields.map(({ path }) => `\`${path}\``))
})

test.each(fields)('$path stands there with the type, range and default of the schema', (field) => {
  const [, type, range, fallback, meaning] = rows.find(([shown]) => shown === `\`${field.path}\``) ?? []
  const expected = cellsOf(field)
  expect({ type, default: fallback }).toEqual({ type: expected.type, default: expected.default })
  if (expected.range !== undefined) expect(range).toBe(expected.range)
  expect(meaning).toMatch(/\.$/)
})

test.each(fields)('$path is refused by its name when it is null', ({ path }) => {
  const names = path.split('.')
  const within = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), null) as object
  expect(() => parseServerConfig({ ...minimal, ...within })).toThrow(path)
})

test('the table of the enrolment service names its fields, and their defaults where they differ', () => {
  const own = fieldsOf(enrolmentConfig as Schema)
  const known = new Map(fields.map((field) => [field.path, cellsOf(field).default]))
  const different = own.filter((field) => known.get(field.path) !== cellsOf(field).default)
  expect(own.map(({ path }) => path).filter((path) => !known.has(path))).toEqual([])
  expect(tableRows(ofEnrolment)).toEqual(different.map((field) => [`\`${field.path}\``, cellsOf(field).default]))
})

test('the name of a variable is that of its field in capitals', () => {
  for (const path of ['listen.port', 'limits.uploadMinimumBytesPerSecond', 'enrolment.jwt.jwks'])
    expect(text).toContain(`\`${variableOf(path)}\``)
})
