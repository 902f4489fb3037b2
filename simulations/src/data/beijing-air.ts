import type { Federation } from '../scenarios/scenario.ts'
import { columnOf, parseCsv, type Table } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { standardise, toDataset } from './matrix.ts'

/** The twelve stations, and the SHA-256 of each one's file. */
const STATIONS: Readonly<Record<string, string>> = {
  Aotizhongxin: 'ee2015d9e240a240ce0efb0541497ac47f6f194d6b7038195cb03e864826ef20',
  Changping: '8c1178baf279402eefe3003a810efd6b972959299a9d9369774e575b9d30af93',
  Dingling: '789e8191371b47d752ba22ffab39e544ff083257cd7c5c2af61f67d29ba6bc39',
  Dongsi: '351df2eded346bc6eb2d4cfdc3cb3b9f29b4f3fe34ca606a62cbd5beeaad6731',
  Guanyuan: '14793824f1216777da8d0dcfd332e034825e7922c9cf2e8777b159a989758060',
  Gucheng: '5952e3f2fc1bd8eb9de34aaf6266ff32df7ef77ba1029d841051b23b5897c137',
  Huairou: 'fb63d57dc28d1bb795b15816fe24ac236f58e7a84fee1198181f3faf783d6bb2',
  Nongzhanguan: '9753b3722b4ad70e4ca909b119511f360dcbbf1d83eda30951154db58401adbc',
  Shunyi: '184a7bbbb959c5cf51bbdb926aa961c5af8fa4000aacfb56055c1f0130a6aadd',
  Tiantan: '18023a1059e2cfae6c23edc1579bb36b0e9af48aaa45d849a8a07353d1e753ea',
  Wanliu: '7724e7d14762fd27207ac7b7c06d08bfadbae6c3ff2219c714f9361e2afe7a3d',
  Wanshouxigong: '3484fbdbb56a8da92de9caf9f3a3f66b1ec03dfdd203f215afc39cefd163f7ce',
}

/** Micrograms in a cubic metre, between the ranges that reports count forecasts by. */
const BOUNDS = [20, 40, 60, 80, 100, 125, 150, 200, 250, 300, 400]
export const UNIT = 'µg/m³'

/** Hours from the last measurement that is known to the one that is forecast. */
const AHEAD = 6
/** Hours back of the measurements that the forecast also sees. */
const LAGS = [1, 2, 3, 6, 12, 24]
/** Every third hour makes an example: neighbouring hours say almost the same. */
const EVERY = 3

/** Years that the forecasts are for: those of the scenario, and those that its settings are chosen by. */
export const YEARS = {
  test: { train: [2013, 2014, 2015], test: [2016, 2017] },
  validation: { train: [2013, 2014], test: [2015] },
} as const

interface Years {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

/**
 * Beijing Multi-Site Air Quality (Zhang et al. 2017; UCI 501, CC BY 4.0): hourly measurements of twelve stations from March
 * 2013 to February 2017. The task is the concentration of fine particles (PM2.5) six hours ahead, from air and weather now and
 * fine particles over the last day. Trains on what was measured up to the end of 2015, tests on 2016 and 2017, or on other
 * `years`. Gaps are filled with the last value before them; hours that lack PM2.5 now or at the forecast's hour are left out.
 * Inputs and labels are brought to mean 0 and deviation 1 by the numbers of the training years, all stations together.
 * The floor is persistence: the air stays as it is.
 */
export async function beijingAir(library: DataLibrary, years: Years = YEARS.test): Promise<Federation> {
  const names = Object.keys(STATIONS)
  const parts = { train: emptyPart(), test: emptyPart() }
  for (const [client, station] of names.entries()) {
    const file = fileOf(station)
    const hours = read(parseCsv(await library.text(original(station)), file), file)
    for (let at = Math.max(...LAGS); at + AHEAD < hours.length; at += EVERY) {
      const [now, then] = [hours[at] as Hour, hours[at + AHEAD] as Hour]
      if (Number.isNaN(now.measured) || Number.isNaN(then.measured)) continue
      const part = years.train.includes(then.year) ? parts.train : years.test.includes(then.year) ? parts.test : undefined
      part?.inputs.push(inputsAt(hours, at))
      part?.now.push(now.measured)
      part?.later.push(then.measured)
      part?.clients.push(client)
    }
  }
  const { train, test } = parts
  const { mean, deviation } = momentsOf(train.later)
  const standard = (values: readonly number[]) => values.map((value) => (value - mean) / deviation)
  const dataset = ({ inputs, later }: Part) =>
    toDataset({ inputs: standardise(inputs, train.inputs), labels: standard(later) }, 1)
  return {
    train: dataset(train),
    test: dataset(test),
    classNames: [...BOUNDS.map((bound, i) => `${i === 0 ? 0 : BOUNDS[i - 1]}-${bound}`), `> ${BOUNDS.at(-1)}`],
    forecast: {
      unit: UNIT,
      mean,
      deviation,
      bounds: BOUNDS,
      floor: { name: 'persistence', test: Float32Array.from(standard(test.now)) },
    },
    natural: { names, train: Int32Array.from(train.clients), test: Int32Array.from(test.clients) },
  }
}

interface Part {
  readonly inputs: number[][]
  /** Micrograms in a cubic metre when the forecast is made, and when it is for. */
  readonly now: number[]
  readonly later: number[]
  readonly clients: number[]
}

function emptyPart(): Part {
  return { inputs: [], now: [], later: [], clients: [] }
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) }
}

const fileOf = (station: string) => `PRSA_Data_${station}_20130301-20170228.csv`

function original(station: string): Original {
  const file = fileOf(station)
  return {
    folder: 'beijing-air-12-stations',
    file,
    sha256: STATIONS[station] as string,
    url: 'https://archive.ics.uci.edu/static/public/501/beijing+multi+site+air+quality+data.zip',
    inside: ['PRSA2017_Data_20130301-20170228.zip', `PRSA_Data_20130301-20170228/${file}`],
  }
}

interface Hour {
  readonly year: number
  readonly month: number
  readonly hour: number
  /** PM2.5 as it was measured; NaN where it was not. */
  readonly measured: number
  /** PM2.5 with its gaps filled. */
  readonly pm25: number
  /** All other measurements with their gaps filled, concentrations as logarithms. */
  readonly others: readonly number[]
}

/** The other columns; concentrations spread over three orders of magnitude. */
const OTHERS: Readonly<Record<string, (value: number) => number>> = {
  PM10: Math.log1p,
  SO2: Math.log1p,
  NO2: Math.log1p,
  CO: Math.log1p,
  O3: Math.log1p,
  TEMP: Number,
  PRES: Number,
  DEWP: Number,
  RAIN: Math.log1p,
  WSPM: Number,
}

function read(table: Table, file: string): Hour[] {
  const [year, month, hour, pm] = ['year', 'month', 'hour', 'PM2.5'].map((column) => columnOf(table, column, file)) as [
    number,
    number,
    number,
    number,
  ]
  const others = Object.entries(OTHERS).map(([column, scale]) => ({ place: columnOf(table, column, file), scale }))
  const last = new Map<number, number>()
  const filled = (row: readonly string[], place: number) => {
    const value = Number(row[place]) // the files say NA for what is missing
    if (Number.isFinite(value)) last.set(place, value)
    return last.get(place) ?? 0
  }
  return table.rows.map((row) => ({
    year: Number(row[year]),
    month: Number(row[month]),
    hour: Number(row[hour]),
    measured: Number(row[pm]),
    pm25: filled(row, pm),
    others: others.map(({ place, scale }) => scale(filled(row, place))),
  }))
}

function inputsAt(hours: readonly Hour[], at: number): number[] {
  const now = hours[at] as Hour
  const particles = [0, ...LAGS].map((lag) => (hours[at - lag] as Hour).pm25)
  return [...particles, ...particles.map(Math.log1p), ...now.others, ...wave(now.hour / 24), ...wave((now.month - 1) / 12)]
}

function wave(part: number): number[] {
  return [Math.sin(2 * Math.PI * part), Math.cos(2 * Math.PI * part)]
}
