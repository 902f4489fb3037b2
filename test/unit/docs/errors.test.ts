import { expect, test } from 'vitest'
import { ERRORS } from '../../../aggregator/src/core/errors.ts'
import { page, tableRows } from './pages.ts'

const rows = tableRows(page('docs/reference/errors.md'))

test('the page of error codes lists every code once, and no other', () => {
  expect(rows.map(([code]) => code).sort()).toEqual(
    Object.keys(ERRORS)
      .map((code) => `\`${code}\``)
      .sort(),
  )
})

test.each(Object.entries(ERRORS))('%s stands there with its status, a cause, and its cure', (code, { status, cure }) => {
  const [, shownStatus, cause, shownCure] = rows.find(([shown]) => shown === `\`${code}\``) ?? []
  expect(shownStatus).toBe(String(status))
  expect(cause).toMatch(/^[A-Z].*\.$/)
  expect(shownCure).toBe(cure)
})
