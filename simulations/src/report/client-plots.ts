import { cell, dot, lineY, ruleY, text } from '@observablehq/plot'
import type { SimulationResult } from '../engine/record.ts'
import type { Figure } from './figure.ts'
import { fewTicks } from './round-plots.ts'
import { spreadOf } from './spread.ts'
import { COLOURS, draw } from './svg.ts'

/** Up to so many clients each have a row of their own. */
const MOST_NAMED = 30

/** The figures over clients, and over classes or the ranges of what is forecast. */
export function clientPlots(result: SimulationResult): Figure[] {
  return [labels(result), confusion(result), result.clients.length <= MOST_NAMED ? named(result) : ranked(result)]
}

function labels({ clients, classNames, config, unit }: SimulationResult): Figure {
  const cells = clients.flatMap(({ name, client, labels, examples }) =>
    labels.map((count, label) => ({ client: client + 1, name, label: classNames[label], share: count / examples })),
  )
  const few = clients.length <= MOST_NAMED
  const shown = clients.length < config.clients ? ` ${clients.length} of ${config.clients.toLocaleString('en')} clients.` : ''
  return {
    name: 'labels',
    title: 'Who has what',
    caption: `The share of each ${unit === undefined ? 'class' : `range, in ${unit},`} among each client's training examples; partition: ${config.partition.name}.${shown}`,
    svg: draw({
      height: 60 + 18 * classNames.length + (few ? 60 : 0),
      marginLeft: 110,
      marginBottom: few ? 90 : 40,
      x: few
        ? { label: null, tickRotate: -40, domain: clients.map(({ name }) => name) }
        : {
            label: 'client',
            type: 'band',
            ticks: fewTicks(cells.filter(({ label }) => label === classNames[0]).map(({ client }) => client)),
          },
      y: { label: null, domain: [...classNames] },
      // An even share is half of the scale, so that more and less than it both show.
      color: { scheme: 'blues', domain: [0, Math.min(1, Math.max(2 / classNames.length, ...cells.map(({ share }) => share)))] },
      marks: [cell(cells, { x: few ? 'name' : 'client', y: 'label', fill: 'share', inset: few ? 0.5 : 0 })],
    }),
  }
}

function confusion({ confusion, classNames, unit }: SimulationResult): Figure {
  const cells = confusion.flatMap((row, label) => {
    const all = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, predicted) => ({
      label: classNames[label],
      predicted: classNames[predicted],
      count,
      share: all > 0 ? count / all : 0,
    }))
  })
  return {
    ...(unit === undefined ? CONFUSION : forecastIn(unit)),
    svg: draw({
      width: 160 + 46 * classNames.length,
      height: 130 + 26 * classNames.length,
      marginLeft: 110,
      marginTop: 90,
      marginBottom: 20,
      x: { label: unit === undefined ? 'predicted' : 'forecast', axis: 'top', domain: [...classNames], tickRotate: -40 },
      y: { label: unit === undefined ? 'class' : 'measured', domain: [...classNames] },
      color: { type: 'sqrt', scheme: 'blues', domain: [0, 1] },
      marks: [
        cell(cells, { x: 'predicted', y: 'label', fill: 'share', inset: 0.5 }),
        text(cells, {
          x: 'predicted',
          y: 'label',
          text: ({ count }) => (count > 0 ? String(count) : ''),
          fill: ({ share }) => (share > 0.4 ? 'white' : 'black'),
        }),
      ],
    }),
  }
}

const CONFUSION = {
  name: 'confusion',
  title: 'Confusion',
  caption:
    'Test examples by their class (rows) and the class that the global model gives them (columns); shaded by share of the row.',
}

function forecastIn(unit: string): Omit<Figure, 'svg'> {
  return {
    name: 'forecast',
    title: 'Forecast against measurement',
    caption:
      `Test examples by what was measured (rows) and what the global model forecast (columns), in ${unit}; shaded by share of the row. ` +
      'Right of the diagonal it forecast too much.',
  }
}

function named({ clients, metric, pooled, floor }: SimulationResult): Figure {
  const floorName = floor?.name ?? ''
  const figures = clients.flatMap(({ name, local, pooled, floor, federated }) => [
    ...(floor === undefined ? [] : [{ name, by: floorName, value: floor }]),
    ...(local === undefined ? [] : [{ name, by: 'local-only', value: local }]),
    ...(pooled === undefined ? [] : [{ name, by: 'pooled', value: pooled }]),
    { name, by: 'federated', value: federated },
  ])
  return {
    name: 'clients',
    title: 'What each client gains',
    caption:
      `The ${metric} of each client. Blue: the federated model` +
      `${pooled === undefined ? '' : '; orange: a model of its own data alone; grey: one model of all data put together'}${floor === undefined ? '' : `; green: ${floorName}`}.`,
    svg: draw({
      height: 70 + 20 * clients.length,
      marginLeft: 130,
      x: { label: metric, grid: true },
      y: { label: null, domain: clients.map(({ name }) => name) },
      color: {
        domain: ['local-only', 'pooled', 'federated', floorName],
        range: [COLOURS.orange, COLOURS.grey, COLOURS.blue, COLOURS.green],
      },
      marks: [dot(figures, { x: 'value', y: 'name', stroke: 'by', fill: 'by', fillOpacity: 0.6, r: 4.5 })],
    }),
  }
}

function ranked({ clients, metric, better }: SimulationResult): Figure {
  const values = clients.map(({ federated }) => federated)
  const sorted = [...values].sort((a, b) => (better === 'higher' ? a - b : b - a)).map((value, i) => ({ rank: i + 1, value }))
  return {
    name: 'clients',
    title: 'What each client gains',
    caption: `The ${metric} of the federated model for each client, from the worst to the best; dashed: mean of the worst tenth.`,
    svg: draw({
      x: { label: 'clients, worst first' },
      y: { label: metric, grid: true },
      marks: [
        lineY(sorted, { x: 'rank', y: 'value', stroke: COLOURS.blue, strokeWidth: 2 }),
        ruleY([spreadOf(values, better).worstTenth], { stroke: COLOURS.orange, strokeDasharray: '4 3' }),
      ],
    }),
  }
}
