import type { Federation } from '../scenarios/scenario.ts'
import { columnOf, numberAt, parseCsv } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { toDataset } from './matrix.ts'

const ORIGINAL: Original = {
  folder: 'ai4i2020',
  file: 'ai4i2020.csv',
  sha256: '846134727f0f6b5c9a1c204b24edcbbf6a32e4834c8f7ebef0d3e7adcd4085d6',
  url: 'https://archive.ics.uci.edu/static/public/601/ai4i+2020+predictive+maintenance+dataset.zip',
  inside: ['ai4i2020.csv'],
}

const QUALITIES = ['L', 'M', 'H']

/**
 * AI4I 2020 Predictive Maintenance (Matzka 2020; UCI 601, CC BY 4.0): 10,000 synthetic readings of a milling machine, 3.4 % of
 * them failures, made on products of low, medium and high quality: one plant each. Inputs: temperatures, speed, torque and
 * tool wear, and from them the power and the temperature difference that failures are physically about.
 */
export async function ai4i(library: DataLibrary): Promise<Federation> {
  const table = parseCsv(await library.text(ORIGINAL), ORIGINAL.file)
  const place = (column: string) => columnOf(table, column, ORIGINAL.file)
  const names = ['Air temperature [K]', 'Process temperature [K]', 'Rotational speed [rpm]', 'Torque [Nm]', 'Tool wear [min]']
  const columns = [...names, 'Machine_failure'].map(place)
  const type = place('Type')
  const inputs: number[][] = []
  const labels: number[] = []
  const clients: number[] = []
  for (const [row, fields] of table.rows.entries()) {
    const [air, process, speed, torque, wear, failure] = columns.map((column) => numberAt(table, row, column, ORIGINAL.file)) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const kilowatts = (torque * speed * 2 * Math.PI) / 60_000
    inputs.push([
      (air - 300) / 2,
      (process - 310) / 1.5,
      (speed - 1500) / 200,
      (torque - 40) / 10,
      wear / 100 - 1,
      process - air - 10,
      kilowatts - 6.3,
      (wear * torque) / 4000 - 1,
    ])
    labels.push(failure)
    clients.push(QUALITIES.indexOf(fields[type] as string))
  }
  const all = toDataset({ inputs, labels }, 2)
  const ids = Int32Array.from(clients)
  const natural = { names: QUALITIES.map((quality) => `plant ${quality}`), train: ids, test: ids }
  return { train: all, test: all, classNames: ['runs', 'fails'], natural }
}
