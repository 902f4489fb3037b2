import { FedweaveError } from '@fedweave/aggregator'
import type { SimulationResult } from '../engine/record.ts'
import { meanAndDeviation } from './statistics.ts'

/** One point of a grid, with one seed. */
export interface Setting {
  /** Of the point, without the seed. */
  readonly name: string
  /** Options in commander's spelling, as they would come from the command line. */
  readonly fields: Readonly<Record<string, string>>
}

/** Options that a sweep can vary. */
const FIELDS = [
  'clients',
  'fraction',
  'rounds',
  'epochs',
  'batch',
  'max-steps',
  'optimizer',
  'learning-rate',
  'momentum',
  'proximal',
  'partition',
  'weighting',
  'clip-bound',
  'value-bits',
  'secure',
  'dropout',
  'availability',
  'speed-spread',
  'deadline',
  'over-selection',
]

/**
 * Every combination of the axes, each `field=value,value`, with `repeats` seeds from `seed` on. Values that hold commas, as
 * partitions do, are separated by semicolons. Throws `FL_USAGE` for an unknown field.
 */
export function gridOf(axes: readonly string[], repeats: number, seed: number): Setting[] {
  let points: Setting[] = [{ name: '', fields: {} }]
  for (const axis of axes) {
    const at = axis.indexOf('=')
    const [field, list] = [axis.slice(0, at), axis.slice(at + 1)]
    if (!FIELDS.includes(field)) {
      throw new FedweaveError('FL_USAGE', `a sweep cannot vary ${JSON.stringify(field)}. There are: ${FIELDS.join(', ')}`)
    }
    const option = field.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    const values = list.split(list.includes(';') ? ';' : ',')
    points = points.flatMap(({ name, fields }) =>
      values.map((value) => ({
        name: [name, `${field}=${value}`].filter(Boolean).join(' '),
        fields: { ...fields, [option]: value },
      })),
    )
  }
  return points.flatMap(({ name, fields }) =>
    Array.from({ length: repeats }, (_, i) => ({ name, fields: { ...fields, seed: String(seed + i) } })),
  )
}

export interface SweepRow {
  readonly setting: string
  readonly runs: number
  readonly mean: number
  /** Of the sample; 0 for a single run. */
  readonly deviation: number
  readonly least: number
  readonly most: number
  /** Mean over the runs that reached the target, and how many did. */
  readonly reached?: { readonly round: number; readonly runs: number }
}

/** One row for each point of the grid, over its seeds. */
export function rowsOf(done: readonly { readonly setting: Setting; readonly result: SimulationResult }[]): SweepRow[] {
  const names = [...new Set(done.map(({ setting }) => setting.name))]
  return names.map((name) => {
    const results = done.filter(({ setting }) => setting.name === name).map(({ result }) => result)
    const values = results.map(({ test }) => test.metric)
    const reached = results.flatMap(({ reached }) => reached ?? [])
    return {
      setting: name || 'as it is',
      runs: results.length,
      ...meanAndDeviation(values),
      least: Math.min(...values),
      most: Math.max(...values),
      ...(reached.length === 0 ? {} : { reached: { round: meanAndDeviation(reached).mean, runs: reached.length } }),
    }
  })
}

export function tableOf(
  done: readonly { readonly setting: Setting; readonly result: SimulationResult }[],
  metric: string,
): { readonly text: string; readonly csv: string; readonly rows: readonly SweepRow[] } {
  const rows = rowsOf(done)
  const head = ['setting', 'runs', metric, 'deviation', 'lowest', 'highest', 'target reached']
  const cells = rows.map(({ setting, runs, mean, deviation, least, most, reached }) => [
    setting,
    String(runs),
    ...[mean, deviation, least, most].map((value) => value.toFixed(4)),
    reached === undefined ? '' : `round ${reached.round.toFixed(1)} (${reached.runs} of ${runs})`,
  ])
  const all = [head, ...cells]
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd()
  const quote = (cell: string) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
  return { text: all.map(line).join('\n'), csv: `${all.map((row) => row.map(quote).join(',')).join('\n')}\n`, rows }
}
