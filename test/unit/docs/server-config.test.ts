import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseServerConfig } from '../../../server/src/config.ts'
import { page, tableRows } from './pages.ts'

const text = page('docs/reference/server-config.md')
const rows = tableRows(text.split('## Secrets')[0] as string)
const minimal = { tasks: [{ id: 't', model: { topology: 'model.json' } }] }

test('the example config is one that the server takes', () => {
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(text) ?? []
  expect(parseServerConfig(parseYaml(example)).tasks[0]?.id).toBe('digits')
})

test('the page lists every field of the schema, and no other', () => {
  // The schema is not exported; its source names each field once, but for the task's own.
  const [, schema = ''] = /const serverConfig = (.*?)\nexport type/s.exec(page('server/src/config.ts')) ?? []
  const names = [...schema.matchAll(/^ *(\w+): Type\.(?!Object)/gm)].map(([, name]) => name)
  expect(rows.map(([field]) => field?.replaceAll('`', '').split('.').at(-1))).toEqual(names)
})

test.each(rows)('%s: %s from %s, by default %s', (field = '', type, range = '', fallback) => {
  const path = field.replaceAll('`', '')
  const value = at(parseServerConfig(minimal), path)
  if (fallback === 'none') expect(value).toBeUndefined()
  else if (fallback !== 'required') expect(fallback).toBe(typeof value === 'number' ? value.toLocaleString('en') : `\`${value}\``)
  expect(() => parseServerConfig(withValue(path, null))).toThrow(`${path}: `)
  if (type !== 'integer') return
  const [least = Number.NaN, most = Number.NaN] = range.split(' to ').map((bound) => Number(bound.replaceAll(',', '')))
  for (const inside of [least, most]) expect(at(parseServerConfig(withValue(path, inside)), path)).toBe(inside)
  for (const outside of [least - 1, most + 1, least + 0.5])
    expect(() => parseServerConfig(withValue(path, outside))).toThrow(`${path}: `)
})

function at(config: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], config)
}

function withValue(path: string, value: unknown): object {
  const names = path.split('.')
  return { ...minimal, ...(names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object) }
}
