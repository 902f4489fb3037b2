import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { page, tableRows } from './pages.ts'

test('the page lists every route of the server, and no other', () => {
  const folder = fileURLToPath(new URL('../../../server/src/routes', import.meta.url))
  const sources = readdirSync(folder).map((name) => page(`server/src/routes/${name}`))
  const routes = sources.flatMap((source) =>
    [...source.matchAll(/app\.(get|put|post|delete)\(\s*'([^']+)'/g)].map(
      ([, method, path]) => `${method?.toUpperCase()} ${path}`,
    ),
  )
  const shown = tableRows(page('docs/reference/http-api.md')).map(([route]) => route?.replaceAll('`', ''))
  expect(shown.sort()).toEqual(routes.sort())
})
