import { areaY, barY, lineY, ruleY } from '@observablehq/plot'
import type { SimulationResult } from '../engine/record.ts'
import type { Figure } from './figure.ts'
import { COLOURS, draw } from './svg.ts'

/** The figures over rounds. */
export function roundPlots(result: SimulationResult): Figure[] {
  return [result.unit === undefined ? accuracy(result) : error(result), loss(result), participation(result), bytes(result)]
}

function accuracy({ rounds, metric, config }: SimulationResult): Figure {
  const own =
    metric === 'accuracy'
      ? []
      : [lineY(rounds, { x: 'round', y: ({ test }) => test.metric, stroke: COLOURS.green, strokeWidth: 2 })]
  const target = config.target === undefined ? [] : [ruleY([config.target], { stroke: COLOURS.grey, strokeDasharray: '4 3' })]
  return {
    name: 'accuracy',
    title: 'Accuracy',
    caption:
      `Blue: the global model on the test examples${own.length > 0 ? `; green: its ${metric}` : ''}. Orange: clients on the examples that they ` +
      `train on, median and, shaded, lowest to highest.${target.length > 0 ? ` Dashed: the target, a ${metric} of ${config.target}.` : ''}`,
    svg: draw({
      x: { label: 'round' },
      y: { label: 'accuracy', grid: true },
      marks: [
        areaY(rounds, {
          x: 'round',
          y1: ({ accuracyBand }) => accuracyBand?.low,
          y2: ({ accuracyBand }) => accuracyBand?.high,
          fill: COLOURS.orange,
          fillOpacity: 0.15,
        }),
        lineY(rounds, { x: 'round', y: ({ accuracyBand }) => accuracyBand?.median, stroke: COLOURS.orange }),
        lineY(rounds, { x: 'round', y: ({ test }) => test.accuracy, stroke: COLOURS.blue, strokeWidth: 2 }),
        ...own,
        ...target,
      ],
    }),
  }
}

function error({ rounds, metric, floor, config: { target } }: SimulationResult): Figure {
  const rules = [...(floor === undefined ? [] : [floor.metric]), ...(target === undefined ? [] : [target])]
  return {
    name: 'error',
    title: 'Error',
    caption:
      `The ${metric} of the global model on the test examples. ` +
      `Dashed: ${floor?.name}${target === undefined ? '' : ` and the target, ${target}`}.`,
    svg: draw({
      x: { label: 'round' },
      y: { label: metric, grid: true },
      marks: [
        lineY(rounds, { x: 'round', y: ({ test }) => test.metric, stroke: COLOURS.blue, strokeWidth: 2 }),
        ruleY(rules, { stroke: COLOURS.grey, strokeDasharray: '4 3' }),
      ],
    }),
  }
}

function loss({ rounds, unit }: SimulationResult): Figure {
  return {
    name: 'loss',
    title: 'Loss',
    caption:
      `${unit === undefined ? 'Cross-entropy in nats' : 'Mean squared error of the standardised labels'}. ` +
      'Blue: the global model on the test examples. Orange: clients in training, median and range.',
    svg: draw({
      x: { label: 'round' },
      y: { label: 'loss', grid: true, zero: true },
      marks: [
        areaY(rounds, {
          x: 'round',
          y1: ({ lossBand }) => lossBand.low,
          y2: ({ lossBand }) => lossBand.high,
          fill: COLOURS.orange,
          fillOpacity: 0.15,
        }),
        lineY(rounds, { x: 'round', y: ({ lossBand }) => lossBand.median, stroke: COLOURS.orange }),
        lineY(rounds, { x: 'round', y: ({ test }) => test.loss, stroke: COLOURS.blue, strokeWidth: 2 }),
      ],
    }),
  }
}

function participation({ rounds }: SimulationResult): Figure {
  const kinds = ['survivors', 'dropouts', 'stragglers'] as const
  const bars = rounds.flatMap((record) => kinds.map((kind) => ({ round: record.round, kind, clients: record[kind] })))
  return {
    name: 'participation',
    title: 'Participation',
    caption: 'Clients of each round. Blue: their update counted; orange: they vanished; yellow: they were too slow.',
    svg: draw({
      x: { label: 'round', ticks: fewTicks(rounds.map(({ round }) => round)), type: 'band' },
      y: { label: 'clients', grid: true, ticks: Math.min(8, Math.max(...rounds.map(({ invited }) => invited))), tickFormat: 'd' },
      color: { domain: [...kinds], range: [COLOURS.blue, COLOURS.orange, COLOURS.yellow] },
      marks: [barY(bars, { x: 'round', y: 'clients', fill: 'kind' }), ruleY([0])],
    }),
  }
}

function bytes({ rounds }: SimulationResult): Figure {
  const most = Math.max(...rounds.map(({ uploadBytes, downloadBytes }) => uploadBytes + downloadBytes))
  const [unit, divisor] = most >= 1e6 ? (['MB', 1e6] as const) : (['kB', 1e3] as const)
  const bars = rounds.flatMap(({ round, uploadBytes, downloadBytes }) => [
    { round, way: 'updates', amount: uploadBytes / divisor },
    { round, way: 'models', amount: downloadBytes / divisor },
  ])
  return {
    name: 'bytes',
    title: 'Bytes',
    caption: "What a round sends. Blue: the survivors' updates; grey: the model to all that were asked.",
    svg: draw({
      x: { label: 'round', ticks: fewTicks(rounds.map(({ round }) => round)), type: 'band' },
      y: { label: unit, grid: true },
      color: { domain: ['updates', 'models'], range: [COLOURS.blue, COLOURS.grey] },
      marks: [barY(bars, { x: 'round', y: 'amount', fill: 'way' }), ruleY([0])],
    }),
  }
}

/** As many of the values as a band scale has room to label. */
export function fewTicks<T>(values: readonly T[]): T[] {
  const step = Math.max(1, Math.ceil(values.length / 15))
  return values.filter((_, i) => i % step === 0)
}
