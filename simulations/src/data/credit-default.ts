import type { Federation } from '../scenarios/scenario.ts'
import { numberAt, parseCsv } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { oneHot, toDataset } from './matrix.ts'

const ORIGINAL: Original = {
  folder: 'credit-default',
  file: 'UCI_Credit_Card.csv',
  sha256: '023eb2c3ad9efd15e7869616fa50a0143f25223105c7069ba632431530afdb61',
  url: 'https://archive.ics.uci.edu/static/public/350/data.csv',
}

/** Amounts in New Taiwan dollars, which spread over six orders of magnitude and may be negative. */
const loud = (amount: number) => (Math.sign(amount) * Math.log1p(Math.abs(amount))) / 6

/**
 * Default of Credit Card Clients (Yeh, Lien 2009; UCI 350, CC BY 4.0): 30,000 card holders of a bank in Taiwan, 22 % of whom
 * did not pay the next month. Sex, education and marriage are kinds, amounts are taken as logarithms; no number of the data
 * goes into the scaling.
 */
export async function creditDefault(library: DataLibrary): Promise<Federation> {
  const table = parseCsv(await library.text(ORIGINAL), ORIGINAL.file)
  const inputs: number[][] = []
  const labels: number[] = []
  for (const row of table.rows.keys()) {
    const x = (column: number) => numberAt(table, row, column, ORIGINAL.file)
    const columns = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => x(from + i))
    inputs.push([
      loud(x(1)) - 2,
      x(2) - 1.5,
      ...oneHot(x(3), [1, 2, 3]),
      ...oneHot(x(4), [1, 2]),
      (x(5) - 35) / 10,
      ...columns(6, 11).map((status) => status / 2), // months behind with paying back
      ...columns(12, 17).map((bill) => loud(bill) - 1.5),
      ...columns(18, 23).map((paid) => loud(paid) - 1),
    ])
    labels.push(x(24))
  }
  const all = toDataset({ inputs, labels }, 2)
  return { train: all, test: all, classNames: ['pays', 'defaults'] }
}
