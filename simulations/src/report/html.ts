import type { Judged, SimulationResult } from '../engine/record.ts'
import type { Figure } from './figure.ts'
import { judgedFigures } from './judged.ts'
import type { Manifest } from './manifest.ts'
import { type Spread, spreadOf } from './spread.ts'

/** One page that needs nothing else: no script, no network. */
export function reportPage(result: SimulationResult, manifest: Manifest, figures: readonly Figure[]): string {
  const { title, config } = result
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${lead(result)}</p>
${table(['', 'test examples', 'loss', ...Object.keys(judgedFigures(result.metric, result.test))], headline(result))}
<section class="figures">
${figures.map(figureOf).join('\n')}
</section>
<h2>Fairness over clients</h2>
<p>${escapeHtml(result.metric)} for each client, ${judgedBy(result)}.</p>
${table(['', 'mean', 'worst tenth', 'variance', 'lowest', 'highest'], fairness(result))}
<h2>Reproduce it</h2>
<p>The same command gives the same model, <code>${result.modelHash.slice(0, 16)}</code>, on any number of workers.</p>
<pre>${escapeHtml(manifest.command)}</pre>
${table(
  ['', ''],
  Object.entries(manifest.environment).map(([key, value]) => [key, String(value)]),
)}
<details><summary>All settings</summary><pre>${escapeHtml(JSON.stringify(config, null, 2))}</pre></details>
</main>
</html>
`
}

function lead({ config, rounds, reached, participation, test, metric }: SimulationResult): string {
  const last = rounds.at(-1)
  const masks = {
    on: 'under secure aggregation',
    check: 'under secure aggregation, checked against plain sums',
    off: 'with plain sums',
  }
  const goal = reached === undefined ? '' : ` The target, a ${metric} of ${config.target}, was reached in round ${reached}.`
  const minutes = (last?.seconds ?? 0) / 60
  const time = minutes >= 120 ? `${(minutes / 60).toFixed(1)} virtual hours` : `${minutes.toFixed(1)} virtual minutes`
  return escapeHtml(
    `${config.clients.toLocaleString('en')} clients, ${rounds.length} rounds ${masks[config.secure]}: ${metric} ${test.metric.toFixed(4)}.${goal} ` +
      `Each client took part in ${participation.mean.toFixed(1)} rounds on average (${participation.least} to ${participation.most}), over ` +
      `${time}. No differential privacy: there is no epsilon to state.`,
  )
}

function headline({ test, pooled, floor, metric }: SimulationResult): string[][] {
  const row = (name: string, judged: Judged) => [
    name,
    judged.examples.toLocaleString('en'),
    judged.loss.toFixed(4),
    ...Object.values(judgedFigures(metric, judged)).map((figure) => figure.toFixed(4)),
  ]
  return [
    row('federated', test),
    ...(pooled === undefined ? [] : [row('pooled', pooled)]),
    ...(floor === undefined ? [] : [row(floor.name, floor)]),
  ]
}

function fairness({ clients, better, floor }: SimulationResult): string[][] {
  const row = (name: string, values: readonly (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined)
    return known.length === 0 ? [] : [[name, ...spreadCells(spreadOf(known, better))]]
  }
  return [
    ...row(
      'federated',
      clients.map(({ federated }) => federated),
    ),
    ...row(
      'local-only',
      clients.map(({ local }) => local),
    ),
    ...row(
      'pooled',
      clients.map(({ pooled }) => pooled),
    ),
    ...row(
      floor?.name ?? '',
      clients.map(({ floor }) => floor),
    ),
  ]
}

function spreadCells({ mean, worstTenth, variance, least, most }: Spread): string[] {
  return [mean.toFixed(4), worstTenth.toFixed(4), variance.toExponential(1), least.toFixed(4), most.toFixed(4)]
}

function judgedBy({ judgedBy }: SimulationResult): string {
  switch (judgedBy) {
    case 'own':
      return 'on examples of its own that nobody trains on'
    case 'labels':
      return 'on the test examples, weighed so that their classes are as common as among its own'
    case 'all':
      return 'on the test examples, which all share'
  }
}

function figureOf({ name, title, caption, svg }: Figure): string {
  return `<figure id="${name}"><h2>${escapeHtml(title)}</h2>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) => row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')
  const named = head.some((cell) => cell !== '')
  return `<table>${named ? `<tr>${cells('th', head)}</tr>` : ''}${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</table>`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] as string)
}

export const STYLE = `
:root { color-scheme: light; }
body { margin: 0; background: #f6f6f4; color: #1a1a1a; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1500px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { margin: 0; font-size: 1.9rem; }
h2 { margin: 1.6rem 0 .4rem; font-size: 1.15rem; }
.lead { max-width: 60rem; font-size: 1.05rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 620px), 1fr)); gap: 1.25rem; margin-top: 1.5rem; }
figure { margin: 0; padding: 0 1.25rem 1rem; background: #fff; border: 1px solid #ddd; border-radius: 8px; }
figure svg { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .88rem; }
table { border-collapse: collapse; margin: .5rem 0; background: #fff; }
th, td { padding: .3rem .8rem; border: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
pre { white-space: pre-wrap; padding: .8rem 1rem; background: #fff; border: 1px solid #ddd; border-radius: 8px; font-size: .85rem; }
@media print { body { background: #fff; } figure { break-inside: avoid; } }
`
