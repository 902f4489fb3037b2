import { readFile } from 'node:fs/promises'
import { FedweaveError } from '@fedweave/aggregator'
import { lineY } from '@observablehq/plot'
import type { SimulationResult } from '../engine/record.ts'
import { escapeHtml, STYLE, table } from './html.ts'
import { spreadOf } from './spread.ts'
import { draw } from './svg.ts'

export interface Comparison {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly page: string
}

/** Puts the results of finished runs side by side. Throws `FL_USAGE` for a file that is none. */
export async function compareRuns(paths: readonly string[]): Promise<Comparison> {
  const runs = await Promise.all(paths.map(async (path) => ({ path, result: await readResult(path) })))
  const columns = [
    'run',
    'scenario',
    'seed',
    'secure',
    'clients',
    'rounds',
    'metric',
    'value',
    'accuracy',
    'worst tenth',
    'reached',
    'model',
  ]
  const rows = runs.map(({ path, result }) => [
    path,
    result.config.scenario,
    String(result.config.seed),
    result.config.secure,
    String(result.config.clients),
    String(result.rounds.length),
    result.metric,
    result.test.metric.toFixed(4),
    result.test.accuracy?.toFixed(4) ?? '',
    spreadOf(
      result.clients.map(({ federated }) => federated),
      result.better,
    ).worstTenth.toFixed(4),
    result.reached === undefined ? '' : String(result.reached),
    result.modelHash.slice(0, 12),
  ])
  return { columns, rows, page: pageOf(runs, columns, rows) }
}

export async function readResult(path: string): Promise<SimulationResult> {
  try {
    const parsed = JSON.parse(await readFile(path, 'utf8')) as SimulationResult
    if (Array.isArray(parsed.rounds) && Array.isArray(parsed.clients) && typeof parsed.modelHash === 'string') return parsed
  } catch (cause) {
    throw new FedweaveError('FL_USAGE', `${path} cannot be read as a result: ${(cause as Error).message}`, { cause })
  }
  throw new FedweaveError('FL_USAGE', `${path} is no result of a simulation`, {
    cure: 'Give the `result.json` of finished runs.',
  })
}

function pageOf(
  runs: readonly { readonly path: string; readonly result: SimulationResult }[],
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const points = (of: (record: SimulationResult['rounds'][number]) => number) =>
    runs.flatMap(({ path, result }) => result.rounds.map((record) => ({ run: path, round: record.round, value: of(record) })))
  const lines = (label: string, of: (record: SimulationResult['rounds'][number]) => number) =>
    draw({
      x: { label: 'round' },
      y: { label, grid: true },
      color: { scheme: 'observable10', domain: runs.map(({ path }) => path) },
      marks: [lineY(points(of), { x: 'round', y: 'value', stroke: 'run', strokeWidth: 2 })],
    })
  const legend = runs.map(({ path }, i) => `<b style="color:${LEGEND[i % LEGEND.length]}">${escapeHtml(path)}</b>`).join(' · ')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Runs side by side</title><style>${STYLE}</style><main>
<h1>Runs side by side</h1><p>${legend}</p>${table(columns, rows)}
<section class="figures"><figure><h2>Metric on the test examples</h2>${lines('metric', ({ test }) => test.metric)}</figure>
<figure><h2>Loss on the test examples</h2>${lines('loss', ({ test }) => test.loss)}</figure></section></main></html>
`
}

/** The colours of `observable10`, in its order. */
const LEGEND = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#3ca951', '#ff8ab7', '#a463f2', '#97bbf5', '#9c6b4e', '#9498a0']
