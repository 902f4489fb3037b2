import { toHex } from '@fedweave/aggregator'
import { type ClassificationMetrics, ErrorTally, labelsOf, type Metrics } from '@fedweave/client/training'
import { reaches } from '../scenarios/metrics.ts'
import type { Forecast, Metric } from '../scenarios/scenario.ts'
import { type Baselines, evenChoice } from './baselines.ts'
import type { SimulationConfig } from './config.ts'
import { accuracyFor, estimateRows, judgeRows } from './judge.ts'
import type { OpenedStage } from './open-stage.ts'
import { classesOf, countRanges } from './ranges.ts'
import type { ClientRecord, Judged, RoundRecord, SimulationResult } from './record.ts'
import { shareFloats } from './shared.ts'
import type { SavedState } from './state.ts'
import { modelHash } from './task.ts'

/** Clients that a report lists, at most. */
const MOST_LISTED = 200

/** Judges the final models, for everybody and for each client, and puts all that a report shows together. */
export async function summarise(
  opened: OpenedStage,
  state: SavedState,
  baselines: Baselines | undefined,
): Promise<SimulationResult> {
  const { stage, scenario, federation, testRows } = opened
  const { config, assignment, model, pool } = stage
  const { metric } = scenario
  const { forecast, classNames } = federation
  const { labels, classes } = classesOf(federation)
  const judging = { model, plan: config.plan, on: 'test' } as const
  const judge = (weights: Float32Array, rows: Int32Array) => judgeRows(pool, judging, shareFloats(weights), rows)
  const metrics = await judge(state.weights, testRows)
  const pooled = baselines && (await judge(baselines.pooled, testRows))
  const figure = async (weights: Float32Array, ofAll: Metrics | undefined, client: number, counts: readonly number[]) => {
    const own = assignment.test?.rowsOf(client)
    if (own !== undefined) return metric.of(await judge(weights, own), federation)
    const all = ofAll ?? (await judge(weights, testRows))
    return forecast === undefined ? accuracyFor(all as ClassificationMetrics, counts) : metric.of(all, federation)
  }
  const floorOn = (given: Forecast, rows: Int32Array) => judgedBy(opened, floorMetrics(opened, given, rows))
  const clients: ClientRecord[] = []
  for (const client of evenChoice(config.clients, MOST_LISTED)) {
    const counts = assignment.train.labelCounts(client, labels, classes)
    const alone = baselines?.local.get(client)
    clients.push({
      client,
      name: assignment.names?.[client] ?? `client ${client + 1}`,
      examples: assignment.train.sizeOf(client),
      labels: counts,
      rounds: state.counted[client] as number,
      federated: await figure(state.weights, metrics, client, counts),
      ...(forecast === undefined ? {} : { floor: floorOn(forecast, assignment.test?.rowsOf(client) ?? testRows).metric }),
      ...(baselines === undefined ? {} : { pooled: await figure(baselines.pooled, pooled, client, counts) }),
      ...(alone === undefined ? {} : { local: await figure(alone, undefined, client, counts) }),
    })
  }
  const reached = firstReached(metric, config, state.rounds)
  const { counted } = state
  return {
    config,
    title: scenario.title,
    metric: metric.name,
    better: metric.better,
    classNames,
    ...(forecast === undefined ? {} : { unit: forecast.unit }),
    rounds: state.rounds,
    modelHash: toHex(modelHash(state.weights)),
    dataHash: state.dataHash,
    ...(reached === undefined ? {} : { reached }),
    test: judgedBy(opened, metrics),
    confusion: await confusionOf(opened, state.weights, metrics),
    clients,
    ...(pooled === undefined ? {} : { pooled: judgedBy(opened, pooled) }),
    ...(forecast === undefined ? {} : { floor: { name: forecast.floor.name, ...floorOn(forecast, testRows) } }),
    judgedBy: assignment.test !== undefined ? 'own' : forecast === undefined ? 'labels' : 'all',
    participation: {
      least: counted.reduce((low, n) => Math.min(low, n)),
      mean: counted.reduce((sum, n) => sum + n) / counted.length,
      most: counted.reduce((high, n) => Math.max(high, n)),
    },
  }
}

/** The first round that reached the target. */
export function firstReached(
  metric: Metric,
  { target }: Pick<SimulationConfig, 'target'>,
  rounds: readonly RoundRecord[],
): number | undefined {
  return target === undefined ? undefined : rounds.find(({ test }) => reaches(metric, test.metric, target))?.round
}

export function judgedBy({ scenario, federation }: Pick<OpenedStage, 'scenario' | 'federation'>, metrics: Metrics): Judged {
  const { examples, loss } = metrics
  const metric = scenario.metric.of(metrics, federation)
  if ('accuracy' in metrics) return { examples, loss, accuracy: metrics.accuracy, metric }
  return { examples, loss, mae: metrics.mae * (federation.forecast as Forecast).deviation, metric }
}

/** What a forecast without a model makes of those test examples. */
function floorMetrics({ federation }: OpenedStage, { floor }: Forecast, rows: Int32Array): Metrics {
  const tally = new ErrorTally()
  tally.add(labelsOf(floor.test, rows) as Float32Array, labelsOf(federation.test.labels, rows))
  return tally.metrics
}

/** `[label][predicted]`: test examples, by class or by range. */
async function confusionOf(
  { stage: { model, config, pool }, federation, testRows }: OpenedStage,
  weights: Float32Array,
  metrics: Metrics,
): Promise<number[][]> {
  const { forecast, classNames, test } = federation
  const classes = classNames.length
  if (forecast === undefined) {
    const { confusion } = metrics as ClassificationMetrics
    return Array.from({ length: classes }, (_, i) => [...confusion.subarray(i * classes, (i + 1) * classes)])
  }
  const judging = { model, plan: config.plan, on: 'test' } as const
  const estimates = await estimateRows(pool, judging, shareFloats(weights), testRows)
  return countRanges(forecast, labelsOf(test.labels, testRows), estimates, classes)
}
