import { FedweaveError } from '@fedweave/aggregator'

/** A table as text: its column names and its rows. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * Parses comma-separated values (RFC 4180): quoted fields may hold commas, doubled quotes and line breaks. The first row
 * names the columns unless `columns` does. Throws `FL_DATASET_SHAPE` naming the line whose number of fields differs.
 */
export function parseCsv(text: string, name: string, columns?: readonly string[]): Table {
  const records: string[][] = []
  let [record, field, quoted, line]: [string[], string, boolean, number] = [[], '', false, 1]
  const endField = () => {
    record.push(field)
    field = ''
  }
  const endRecord = () => {
    endField()
    const width = columns?.length ?? records[0]?.length ?? record.length
    if (record.length !== width)
      throw new FedweaveError('FL_DATASET_SHAPE', `${name}, line ${line}: expected ${width} fields, got ${record.length}`)
    records.push(record)
    record = []
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (quoted) {
      if (char !== '"') field += char
      else if (text[i + 1] === '"') field += text[i++]
      else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === ',') endField()
    else if (char === '\n') {
      if (record.length > 0 || field !== '') endRecord()
      line++
    } else if (char !== '\r') field += char
  }
  if (quoted) throw new FedweaveError('FL_DATASET_SHAPE', `${name}: a quoted field is never closed`)
  if (record.length > 0 || field !== '') endRecord()
  if (columns !== undefined) return { columns, rows: records }
  const [head, ...rows] = records
  if (head === undefined) throw new FedweaveError('FL_DATASET_SHAPE', `${name} is empty`)
  return { columns: head, rows }
}

/** The place of a column. Throws `FL_DATASET_SHAPE` naming the columns that there are. */
export function columnOf({ columns }: Table, column: string, name: string): number {
  const place = columns.indexOf(column)
  if (place >= 0) return place
  throw new FedweaveError('FL_DATASET_SHAPE', `${name} has no column ${JSON.stringify(column)}; it has: ${columns.join(', ')}`)
}

/** A field as a number. Throws `FL_DATASET_SHAPE` naming row and column. */
export function numberAt({ columns, rows }: Table, row: number, column: number, name: string): number {
  const raw = rows[row]?.[column] as string
  const value = Number(raw)
  if (raw.trim() !== '' && Number.isFinite(value)) return value
  throw new FedweaveError(
    'FL_DATASET_SHAPE',
    `${name}, row ${row + 1}: ${columns[column]} is ${JSON.stringify(raw)}, not a number`,
  )
}
