import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnOf, numberAt, parseCsv } from '../../../simulations/src/data/csv.ts'

describe('comma-separated values', () => {
  test('quoted fields hold commas, quotes and line breaks; the last line needs no end', () => {
    expect(parseCsv('a,"b ""c"""\r\n1,"2,3"\n"4\n5",6', 'x')).toEqual({
      columns: ['a', 'b "c"'],
      rows: [
        ['1', '2,3'],
        ['4\n5', '6'],
      ],
    })
  })

  test('whatever is written by the rules is read back', () => {
    const field = fc.string({ minLength: 1 }).filter((text) => !text.includes('\r'))
    const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
      return fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 })
    })
    fc.assert(
      fc.property(tables, (rows) => {
        const text = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n')
        const columns = rows[0]?.map((_, i) => `c${i}`) ?? []
        expect(parseCsv(text, 'x', columns).rows).toEqual(rows)
      }),
    )
  })

  test.each([
    ['a,b\n1,2\n3', 'x, line 3: expected 2 fields, got 1'],
    ['a,"b', 'x: a quoted field is never closed'],
    ['', 'x is empty'],
  ])('%j is refused', (text, message) => {
    expect(() => parseCsv(text, 'x')).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE', message }))
  })

  test('a column that is not there and a field that is no number are named', () => {
    const table = parseCsv('a,b\n1,\n', 'x')
    expect(() => columnOf(table, 'c', 'x')).toThrow('x has no column "c"; it has: a, b')
    expect(numberAt(table, 0, 0, 'x')).toBe(1)
    expect(() => numberAt(table, 0, 1, 'x')).toThrow('x, row 1: b is "", not a number')
  })
})
