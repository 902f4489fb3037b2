import { readFileSync } from 'node:fs'
import { join, unhex, unsigned } from './bytes.ts'

/** The field tables of `docs/protocol/v1.md`, read as the grammar that they are. */
export const SPECIFICATION = readFileSync(new URL('../../../docs/protocol/v1.md', import.meta.url), 'utf8')

export interface Layout {
  /** Of messages. */
  readonly tag: number | undefined
  readonly fields: readonly (readonly [name: string, type: string])[]
}

/** Records and messages by name. */
export function layouts(): ReadonlyMap<string, Layout> {
  const found = new Map<string, { tag: number | undefined; fields: [string, string][] }>()
  let open: { fields: [string, string][] } | undefined
  for (const line of SPECIFICATION.split('\n')) {
    const [, name, tag] = /^#### `(\w+)`(?: \((\d+)\))?$/.exec(line) ?? []
    if (name !== undefined) {
      const layout = { tag: tag === undefined ? undefined : Number(tag), fields: [] }
      found.set(name, layout)
      open = layout
    } else if (line.startsWith('#')) open = undefined
    const [, field, type] = /^\| `(\w+)` +\| `([^`]+)` +\|/.exec(line) ?? []
    if (field !== undefined && type !== undefined) open?.fields.push([field, type])
  }
  return found
}

/** The table whose first column has that title: what each row's first cell names, and the names in its other cells. */
export function tableOf(title: string): Record<string, string[]> {
  const [, after = ''] = SPECIFICATION.split(`\n| ${title} `)
  const rows = after.split('\n\n')[0]?.split('\n').slice(2) ?? []
  const names = (row: string) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name as string)
  return Object.fromEntries(rows.map((row) => [names(row)[0], names(row).slice(1)]))
}

const ALIASES: Readonly<Record<string, string>> = {
  hash: 'fixed(32)',
  key: 'fixed(32)',
  signature: 'fixed(64)',
  id: 'fixed(16)',
  document: 'bytes(16777216)',
}

/** Encodes a value as the vector files hold it (bytes in hex, absent as null) by the notation of section 3. */
export function encodeBy(all: ReadonlyMap<string, Layout>, type: string, value: unknown): Buffer {
  const alias = ALIASES[type]
  if (alias !== undefined) return encodeBy(all, alias, value)
  const record = all.get(type)
  if (record !== undefined) {
    const fields = value as Record<string, unknown>
    return join(...record.fields.map(([name, kind]) => encodeBy(all, kind, fields[name])))
  }
  if (type === 'u8') return unsigned(value as number, 1)
  if (type === 'u16') return unsigned(value as number, 2)
  if (type === 'u32') return unsigned(value as number, 4)
  if (type === 'u64') return unsigned(value as number, 8)
  if (type === 'f64') {
    const out = Buffer.alloc(8)
    out.writeDoubleBE(value as number)
    return out
  }
  const [, kind, inner = '', bound] = /^(list|optional|fixed|bytes|text)\((.*?)(?:, (\d+))?\)$/.exec(type) ?? []
  if (kind === 'optional') return value === null ? Buffer.of(0) : join(Buffer.of(1), encodeBy(all, inner, value))
  if (kind === 'list') {
    const items = value as readonly unknown[]
    return join(bounded(items.length, Number(bound), type), ...items.map((item) => encodeBy(all, inner, item)))
  }
  const raw = kind === 'text' ? Buffer.from(value as string, 'ascii') : unhex(value as string)
  if (kind === 'fixed' && raw.length === Number(inner)) return raw
  if (kind === 'bytes' || kind === 'text') return join(bounded(raw.length, Number(inner), type), raw)
  throw new Error(`${JSON.stringify(value)} is not ${type}`)
}

function bounded(length: number, most: number, type: string): Buffer {
  if (length > most) throw new Error(`${length} do not fit in ${type}`)
  return unsigned(length, 4)
}
