import { FedweaveError } from '@fedweave/aggregator'
import type { LocalDataset } from '../training/trainer.ts'
import { Examples, type InputSpec } from './examples.ts'

export interface CsvOptions {
  /** The column that holds the class; its cells are integers from 0, or the names in `classes`. Of a regressor: any numbers. */
  readonly label: string
  /** Names of the classes, in their order. */
  readonly classes?: readonly string[]
  /** The columns of one example, in their order; default: all others. */
  readonly columns?: readonly string[]
}

/**
 * A text of comma-separated values (RFC 4180) whose first line names the columns. Throws `FL_DATASET_SHAPE` naming the row (from 1,
 * below the head) and the column.
 */
export function fromCsv(text: string, spec: InputSpec, { label, classes, columns }: CsvOptions): LocalDataset {
  const [head, ...rows] = parseCsv(text)
  if (head === undefined) throw misfit('the file is empty')
  const placeOf = (name: string) => {
    const place = head.indexOf(name)
    if (place < 0) throw misfit(`there is no column ${JSON.stringify(name)}; there are ${head.join(', ')}`)
    return place
  }
  const labelAt = placeOf(label)
  const places = (columns ?? head.filter((name) => name !== label)).map(placeOf)
  const examples = new Examples(spec)
  for (const [i, cells] of rows.entries()) {
    const row = String(i + 1)
    if (cells.length !== head.length) throw misfit(`row ${row}: expected ${head.length} cells, got ${cells.length}`)
    const number = (place: number) => {
      const cell = (cells[place] as string).trim()
      const value = cell === '' ? Number.NaN : Number(cell)
      if (Number.isFinite(value)) return value
      throw misfit(`row ${row}, column ${JSON.stringify(head[place])}: expected a number, got ${JSON.stringify(cell)}`)
    }
    examples.add(
      places.map(number),
      classes === undefined ? number(labelAt) : classOf(cells[labelAt] as string, classes, row),
      row,
    )
  }
  return examples.dataset
}

function classOf(name: string, classes: readonly string[], row: string): number {
  const found = classes.indexOf(name.trim())
  if (found < 0) throw misfit(`row ${row}: expected a label of ${classes.join(', ')}, got ${JSON.stringify(name)}`)
  return found
}

/** Lines of cells; a quoted cell may hold commas, line breaks and doubled quotes. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  const cell = /\s*"((?:[^"]|"")*)"\s*|([^,\r\n]*)/y
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at <= text.length; ) {
    cell.lastIndex = at
    const [all = '', quoted, plain = ''] = cell.exec(text) ?? []
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    at += all.length
    if (text[at] === ',') {
      at++
      continue
    }
    if (row.length > 1 || row[0] !== '') rows.push(row) // an empty line is none
    row = []
    if (at >= text.length) break
    const end = /\r\n?|\n/y
    end.lastIndex = at
    if (!end.test(text)) throw misfit(`row ${rows.length - 1}: a quoted cell goes on after its quotes`)
    at = end.lastIndex
  }
  return rows
}

function misfit(message: string): FedweaveError {
  return new FedweaveError('FL_DATASET_SHAPE', message)
}
