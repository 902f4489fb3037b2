import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareRuns } from '../../../simulations/src/report/compare.ts'
import { type Manifest, manifestOf } from '../../../simulations/src/report/manifest.ts'
import { rasteriser } from '../../../simulations/src/report/png.ts'
import { spreadOf } from '../../../simulations/src/report/spread.ts'
import { writeReport } from '../../../simulations/src/report/write.ts'
import { forecastOf, resultOf } from './result-for-tests.ts'

const FIGURES = ['accuracy', 'loss', 'participation', 'bytes', 'labels', 'confusion', 'clients']

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const read = (...path: string[]) => readFile(join(folder, ...path), 'utf8')
const result = resultOf()
const circumstances = {
  command: 'fedweave simulate clouds',
  dataHash: result.dataHash,
  backend: 'wasm',
  workers: 2,
  seconds: 1.25,
}
const manifest = (): Promise<Manifest> => manifestOf(result.config, result.modelHash, circumstances)

describe('a report', () => {
  test('leaves result, manifest, tables, page and every plot behind', async () => {
    const { png } = await writeReport(folder, result, await manifest())
    expect((await readdir(folder)).sort()).toEqual([
      'clients.csv',
      'manifest.json',
      'plots',
      'report.html',
      'result.json',
      'rounds.csv',
    ])
    const plots = FIGURES.flatMap((name) => [`${name}.svg`, ...(png ? [`${name}.png`] : [])])
    expect((await readdir(join(folder, 'plots'))).sort()).toEqual(plots.sort())
    expect(JSON.parse(await read('result.json'))).toEqual(result)
  })

  test('has a page that holds every figure, asks for nothing else, and takes names for text', async () => {
    await writeReport(folder, result, await manifest())
    const page = await read('report.html')
    for (const name of FIGURES) expect(page).toContain(`<figure id="${name}">`)
    expect(page.match(/<svg /g)).toHaveLength(FIGURES.length)
    expect(page).not.toMatch(/<script|<link|src=|href=|url\(|@import/)
    expect(page).toContain('<h1>Clouds &amp; &lt;showers&gt;</h1>')
    expect(page).toContain('<td>federated</td><td>0.6250</td><td>0.2500</td><td>7.8e-2</td><td>0.2500</td><td>1.0000</td>')
  })

  test('draws every round, every client and every cell', async () => {
    await writeReport(folder, result, await manifest())
    const count = async (name: string, tag: string) =>
      (await read('plots', `${name}.svg`)).match(new RegExp(`<${tag} `, 'g'))?.length
    expect(await count('participation', 'rect')).toBe(9) // three kinds in three rounds
    expect(await count('labels', 'rect')).toBe(8)
    expect(await count('confusion', 'rect')).toBe(4)
    expect(await count('clients', 'circle')).toBe(12) // local-only, pooled and federated
    expect(await read('plots', 'confusion.svg')).toContain('>rain, or so<')
  })

  test('ranks clients instead of naming them where they are many', async () => {
    const many = resultOf({ clients: 100, rounds: 60 })
    await writeReport(folder, many, await manifest())
    expect(await read('plots', 'clients.svg')).not.toContain('<circle')
    expect((await read('clients.csv')).trim().split('\n')).toHaveLength(101)
  })

  test('has tables with one line a round and a client, their fields quoted where they must be', async () => {
    await writeReport(folder, result, await manifest())
    const [head, first, ...more] = (await read('rounds.csv')).trim().split('\n')
    expect(head?.split(',').length).toBe(first?.split(',').length)
    expect(first).toMatch(/^1,5,3,1,1,0,1,0.5,/)
    expect(more).toHaveLength(2)
    expect((await read('clients.csv')).split('\n')[0]).toBe(
      'client,name,examples,rounds,federated,local,pooled,examples of sun,"examples of rain, or so"',
    )
  })

  test('has a manifest that pins seed, settings, data, packages and backend', async () => {
    const { seed, config, environment, modelHash } = await manifest()
    expect({ seed, config, modelHash }).toEqual({ seed: 1, config: result.config, modelHash: result.modelHash })
    expect(environment).toMatchObject({ 'data SHA-256': result.dataHash, backend: 'wasm', workers: 2, node: process.version })
    expect(environment['package-lock.json SHA-256']).toMatch(/^[0-9a-f]{64}$/)
  })
})

test('without a font there is no PNG, and with one its picture is twice as large as the drawing', async () => {
  expect(await rasteriser(['/nowhere.ttf'])).toBeUndefined()
  const rasterise = await rasteriser()
  if (rasterise === undefined) return console.warn('no font here: PNG is not tested')
  const png = rasterise('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><text>A</text></svg>')
  const view = new DataView(png.buffer, png.byteOffset)
  expect([...png.subarray(1, 4)].map((code) => String.fromCharCode(code)).join('')).toBe('PNG')
  expect([view.getUint32(16), view.getUint32(20)]).toEqual([60, 40])
})

describe('a report of a forecast', () => {
  const forecast = forecastOf()
  const FORECAST_FIGURES = ['error', 'loss', 'participation', 'bytes', 'labels', 'forecast', 'clients']

  test('shows errors, and the forecast against what was measured, in place of accuracy and confusion', async () => {
    await writeReport(folder, forecast, await manifest())
    const page = await read('report.html')
    expect([...page.matchAll(/<figure id="(.*?)">/g)].map(([, name]) => name)).toEqual(FORECAST_FIGURES)
    expect(page).not.toMatch(/accuracy|confusion|cross-entropy|NaN|undefined/i)
    expect(page).toContain('<tr><td>persistence</td><td>100</td><td>0.2500</td><td>8.0000</td><td>3.0000</td></tr>')
    const count = async (name: string, tag: string) =>
      (await read('plots', `${name}.svg`)).match(new RegExp(`<${tag} `, 'g'))?.length
    expect(await count('forecast', 'rect')).toBe(4)
    expect(await count('clients', 'circle')).toBe(16) // local-only, pooled, federated and persistence
  })

  test('takes the highest errors for the worst', async () => {
    await writeReport(folder, forecast, await manifest())
    const row = /<td>federated<\/td><td>2\.5000<\/td><td>(.*?)<\/td>/.exec(await read('report.html'))
    expect(row?.[1]).toBe('4.0000')
    expect(spreadOf([1, 2, 3], 'lower')).toMatchObject({ worstTenth: 3, least: 1, most: 3 })
  })

  test('has tables whose cells for accuracy are empty, and a column for the floor', async () => {
    await writeReport(folder, forecast, await manifest())
    const [head, first] = (await read('rounds.csv')).split('\n')
    expect(head?.split(',').length).toBe(first?.split(',').length)
    expect(first).toMatch(/^1,5,3,1,1,0,1,,0\.25,0\.5,0\.75,,,,0\.25,,5,/)
    expect((await read('clients.csv')).split('\n').slice(0, 2)).toEqual([
      'client,name,examples,rounds,federated,local,pooled,persistence,examples of sun,"examples of rain, or so"',
      '0,client 1,10,2,1,0.25,1,9,0,10',
    ])
  })

  test('is compared by the worst tenth of its errors', async () => {
    const path = join(folder, 'forecast.json')
    await writeFile(path, JSON.stringify(forecast))
    const { columns, rows } = await compareRuns([path])
    const cell = (column: string) => rows[0]?.[columns.indexOf(column)]
    expect(['metric', 'value', 'accuracy', 'worst tenth'].map(cell)).toEqual(['RMSE in m', '5.0000', '', '4.0000'])
  })
})

test('the worst tenth of ten clients is the worst one, of twenty the worst two; variance is over all', () => {
  expect(spreadOf([1, 0, 1, 1, 1, 1, 1, 1, 1, 1])).toMatchObject({ worstTenth: 0, mean: 0.9, least: 0, most: 1 })
  expect(spreadOf(Array.from({ length: 20 }, (_, i) => i)).worstTenth).toBe(0.5)
  expect(spreadOf([1, 3]).variance).toBe(1)
  expect(spreadOf([0.5]).worstTenth).toBe(0.5)
})

describe('runs side by side', () => {
  test('each have a row and a line', async () => {
    const paths = await Promise.all(
      [0.5, 0.75].map(async (metric, i) => {
        const path = join(folder, `${i}.json`)
        await writeFile(path, JSON.stringify(resultOf({ metric })))
        return path
      }),
    )
    const { columns, rows, page } = await compareRuns(paths)
    const place = columns.indexOf('value')
    expect(rows.map((row) => row[place])).toEqual(['0.5000', '0.7500'])
    expect(page.match(/<svg /g)).toHaveLength(2)
  })

  test.each([
    ['{"rounds":1}', 'is no result of a simulation'],
    ['{', 'cannot be read as a result'],
  ])('a file with %j is refused', async (text, message) => {
    const path = join(folder, 'x.json')
    await writeFile(path, text)
    await expect(compareRuns([path])).rejects.toMatchObject({ code: 'FL_USAGE', message: expect.stringContaining(message) })
  })
})
