import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TokenBook } from '@fedweave/server'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashOfKey } from '../../server/src/access/operator.ts'
import { page, tableRows } from '../unit/docs/pages.ts'
import { type RunningServer, startServer, tinyTask } from './support.ts'

const OPERATOR = `fwo_${'k'.repeat(43)}`

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly Record<string, unknown>[]
  readonly parameters?: readonly { name: string; in: string; schema: TSchema }[]
  readonly requestBody?: { content: Record<string, { schema: TSchema }> }
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: TSchema }> }>
}

interface Document {
  readonly openapi: string
  readonly tags: readonly { name: string }[]
  readonly paths: Record<string, Record<string, Operation>>
}

let folder: string
let server: RunningServer
let document: Document
let operations: { readonly method: string; readonly path: string; readonly operation: Operation }[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-openapi-'))
  server = await startServer(tinyTask(), { operator: { keyHash: hashOfKey(OPERATOR) }, tokens: new TokenBook(folder) })
  document = (await (await fetch(`${server.url}/v1/openapi.json`)).json()) as Document
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
})
afterAll(async () => {
  await server.app.close()
  await rm(folder, { recursive: true, force: true })
})

/** Every route as the router has it, whoever registered it, apart from the page's own. */
function registered(): string[] {
  const above: string[] = []
  return server.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, part = '', methods = ''] = /^([│ ]*(?:├── |└── ))(\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
      if (indent === undefined) return []
      above.splice(indent.length / 4 - 1, Number.POSITIVE_INFINITY, part)
      return methods.split(', ').map((method) => `${method} ${above.join('')}`)
    })
    .filter((route) => !/^(HEAD|OPTIONS) | \/docs/.test(route))
}

test('the document has every route of the server, and no other; so has the page of the reference', () => {
  const routes = registered().sort()
  expect(routes).toContain('PUT /v1/tasks/:task/updates/:context')
  expect(routes.length).toBeGreaterThan(18)
  expect(operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`).sort()).toEqual(routes)
  const shown = tableRows(page('docs/reference/http-api.md')).flatMap(([cell]) => /^`([A-Z]+ \/.*)`$/.exec(cell ?? '')?.[1] ?? [])
  expect(shown.filter((route) => route !== 'GET /docs').sort()).toEqual(routes)
})

test('each says what it is for, what it takes and what it answers', () => {
  expect(document.openapi).toBe('3.1.0')
  const tags = document.tags.map(({ name }) => name)
  for (const { method, path, operation } of operations) {
    const at = `${method} ${path}`
    expect([at, operation.summary?.length ?? 0]).toEqual([at, expect.toSatisfy((length: number) => length > 10)])
    expect([at, tags.includes(operation.tags?.[0] ?? '')]).toEqual([at, true])
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect([at, operation.parameters?.filter(({ in: place }) => place === 'path').map(({ name }) => name) ?? []]).toEqual([
      at,
      named,
    ])
    const good = Object.entries(operation.responses).filter(([status]) => /^[23]/.test(status))
    const bad = Object.entries(operation.responses).filter(([status]) => /^[45]/.test(status))
    expect([at, good.length > 0, bad.length > 2]).toEqual([at, true, true])
    expect([at, good.filter(([, { description }]) => /Default/.test(description))]).toEqual([at, []])
    for (const [status, { content }] of good) if (status === '200') expect([at, content]).toEqual([at, expect.anything()])
    for (const [, { content }] of bad) expect(content?.['application/json']?.schema).toMatchObject({ required: ['error'] })
  }
})

test('the routes that the document gives to the operator are those that refuse everybody else', async () => {
  const { url } = server
  const refused: string[] = []
  for (const { method, path } of operations.filter((each) => !each.path.endsWith('/events'))) {
    const target = path
      .replace('{task}', 'tiny')
      .replace('{hash}', 'latest')
      .replace(/\{\w+\}/, '0'.repeat(16))
    const answer = await fetch(url + target, { method })
    if ((await answer.text()).includes('FL_OPERATOR_ONLY')) refused.push(`${method} ${path}`)
  }
  const marked = operations.filter(({ operation }) => operation.security?.some((each) => 'operator' in each))
  expect(refused).toEqual(marked.map(({ method, path }) => `${method} ${path}`))
  expect(refused.length).toBeGreaterThan(6)
})

test('what the server answers is what the document says, by status and by form', async () => {
  const requests: readonly (readonly [method: string, path: string, target: string, status: number, body?: object])[] = [
    ['GET', '/health', '/health', 200],
    ['GET', '/ready', '/ready', 200],
    ['GET', '/v1/tasks', '/v1/tasks', 200],
    ['GET', '/v1/tasks/{task}', '/v1/tasks/tiny', 200],
    ['GET', '/v1/tasks/{task}', '/v1/tasks/none', 404],
    ['GET', '/v1/tasks/{task}/journal', '/v1/tasks/tiny/journal', 200],
    ['GET', '/v1/enrolment', '/v1/enrolment', 200],
    ['GET', '/v1/admission', '/v1/admission', 401],
    ['POST', '/v1/tasks', '/v1/tasks', 400, {}],
    ['POST', '/v1/tasks/{task}/pause', '/v1/tasks/tiny/pause', 200, { comeBackS: 5 }],
    ['POST', '/v1/tasks/{task}/resume', '/v1/tasks/tiny/resume', 200],
    ['POST', '/v1/tokens', '/v1/tokens', 201, { uses: 2 }],
    ['GET', '/v1/tokens', '/v1/tokens', 200],
    ['DELETE', '/v1/tasks/{task}', '/v1/tasks/tiny', 409],
  ]
  for (const [method, path, target, expected, body] of requests) {
    const answer = await fetch(server.url + target, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    expect([target, answer.status]).toEqual([target, expected])
    const operation = document.paths[path]?.[method.toLowerCase()]
    const schema = operation?.responses[expected]?.content?.['application/json']?.schema
    if (schema === undefined) throw new Error(`${target}: the document has no ${expected}`)
    expect([target, [...Value.Errors(closed(schema), await answer.json())]]).toEqual([target, []])
  }
})

/** The same schema that allows no field besides those it names. */
function closed(schema: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && !Array.isArray(value)
      ? { ...value, additionalProperties: false }
      : value,
  ) as TSchema
}

test('the page of the reference lists every metric, and no other', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const metrics = [...text.matchAll(/^# TYPE (fedweave_\w+) /gm)].map(([, name]) => `\`${name}\``)
  const shown = tableRows(page('docs/reference/http-api.md')).flatMap(([cell = '']) =>
    cell.startsWith('`fedweave_') ? [cell] : [],
  )
  expect(shown.sort()).toEqual(metrics.sort())
})
