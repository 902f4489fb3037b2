import type { Federation } from '../scenarios/scenario.ts'
import { columnOf, parseCsv, type Table } from './csv.ts'
import type { DataLibrary, Original } from './library.ts'
import { toDataset } from './matrix.ts'

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

/** Bounds of fine particles in micrograms a cubic metre between the classes of China's air quality index (HJ 633-2012). */
const BOUNDS = [35, 75, 115, 150]
const BANDS = ['excellent', 'good', 'light pollution', 'moderate pollution', 'heavy pollution']

/** Hours from the last measurement that is known to the one that is forecast. */
const AHEAD = 6
/** Hours back of the measurements that the forecast also sees. */
const LAGS = [1, 2, 3, 6, 12, 24]
/** Every third hour makes an example: neighbouring hours say almost the same. */
const EVERY = 3
const YEARS = { train: [2013, 2014, 2015], test: [2016, 2017] }

/**
 * Beijing Multi-Site Air Quality (Zhang et al. 2017; UCI 501, CC BY 4.0): hourly measurements of twelve stations from March
 * 2013 to February 2017. The task is the class of fine particles (PM2.5) six hours ahead, from air and weather now and fine
 * particles over the last day. Trains on what was measured up to the end of 2015, tests on 2016 and 2017. Gaps are filled with
 * the last value before them; hours that lack PM2.5 now or at the forecast's hour are left out.
 */
export async function beijingAir(library: DataLibrary): Promise<Federation> {
  const names = Object.keys(STATIONS)
  const parts = { train: emptyPart(), test: emptyPart() }
  for (const [client, station] of names.entries()) {
    const file = fileOf(station)
    const hours = read(parseCsv(await library.text(original(station)), file), file)
    for (let at = Math.max(...LAGS); at + AHEAD < hours.length; at += EVERY) {
      const example = exampleAt(hours, at)
      if (example === undefined) continue
      const part = YEARS.train.includes((hours[at + AHEAD] as Hour).year) ? parts.train : parts.test
      part.inputs.push(example.inputs)
      part.labels.push(example.label)
      part.clients.push(client)
    }
  }
  const { train, test } = parts
  return {
    train: toDataset(train, BANDS.length),
    test: toDataset(test, BANDS.length),
    classNames: BANDS,
    natural: { names, train: Int32Array.from(train.clients), test: Int32Array.from(test.clients) },
  }
}

function emptyPart(): { inputs: number[][]; labels: number[]; clients: number[] } {
  return { inputs: [], labels: [], clients: [] }
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
  /** Measurements with their gaps filled, each brought to about -1 to 1 by what such a quantity is anywhere. */
  readonly pm25: number
  readonly others: readonly number[]
}

const loud = (value: number) => Math.log1p(value) / 3 - 1 // concentrations spread over three orders of magnitude

const SCALES: Readonly<Record<string, (value: number) => number>> = {
  PM10: loud,
  SO2: loud,
  NO2: loud,
  CO: (value) => Math.log1p(value) / 4 - 1,
  O3: loud,
  TEMP: (celsius) => celsius / 20 - 0.5,
  PRES: (hectopascals) => (hectopascals - 1010) / 15,
  DEWP: (celsius) => celsius / 20,
  RAIN: (millimetres) => Math.log1p(millimetres),
  WSPM: (metresPerSecond) => metresPerSecond / 2 - 1,
}

function read(table: Table, file: string): Hour[] {
  const [year, month, hour, pm] = ['year', 'month', 'hour', 'PM2.5'].map((column) => columnOf(table, column, file)) as [
    number,
    number,
    number,
    number,
  ]
  const others = Object.entries(SCALES).map(([column, scale]) => ({ place: columnOf(table, column, file), scale }))
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
    pm25: loud(filled(row, pm)),
    others: others.map(({ place, scale }) => scale(filled(row, place))),
  }))
}

function exampleAt(hours: readonly Hour[], at: number): { inputs: number[]; label: number } | undefined {
  const now = hours[at] as Hour
  const then = hours[at + AHEAD] as Hour
  if (Number.isNaN(now.measured) || Number.isNaN(then.measured)) return undefined
  const lags = LAGS.map((lag) => (hours[at - lag] as Hour).pm25)
  const inputs = [now.pm25, ...lags, ...now.others, ...wave(now.hour / 24), ...wave((now.month - 1) / 12)]
  return { inputs, label: BOUNDS.filter((bound) => then.measured > bound).length }
}

function wave(part: number): number[] {
  return [Math.sin(2 * Math.PI * part), Math.cos(2 * Math.PI * part)]
}
