import { toHex } from '@fedweave/aggregator'
import type { Metrics } from '@fedweave/client/training'
import type { Scenario } from '../scenarios/scenario.ts'
import { type Baselines, evenChoice } from './baselines.ts'
import { accuracyFor, judgeRows } from './judge.ts'
import type { OpenedStage } from './open-stage.ts'
import type { ClientRecord, Judged, SimulationResult } from './record.ts'
import { shareFloats } from './shared.ts'
import type { SavedState } from './state.ts'
import { modelHash } from './task.ts'

/** Clients that a report lists, at most. */
const MOST_LISTED = 200

/** Judges the final models, for everybody and for each client, and puts all that a report shows together. */
export async function summarise(
  { stage, scenario, federation, testRows }: OpenedStage,
  state: SavedState,
  baselines: Baselines | undefined,
): Promise<SimulationResult> {
  const { config, assignment, model, pool } = stage
  const { labels, classes } = federation.train
  const judge = (weights: Float32Array, rows: Int32Array) =>
    judgeRows(pool, { model, plan: config.plan, on: 'test' }, shareFloats(weights), rows)
  const metrics = await judge(state.weights, testRows)
  const pooled = baselines && (await judge(baselines.pooled, testRows))
  const figure = async (weights: Float32Array, ofAll: Metrics | undefined, client: number, counts: readonly number[]) => {
    const own = assignment.test?.rowsOf(client)
    if (own !== undefined) return scenario.metric.of(await judge(weights, own))
    return accuracyFor(ofAll ?? (await judge(weights, testRows)), counts)
  }
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
      ...(baselines === undefined ? {} : { pooled: await figure(baselines.pooled, pooled, client, counts) }),
      ...(alone === undefined ? {} : { local: await figure(alone, undefined, client, counts) }),
    })
  }
  const { target } = config
  const reached = target === undefined ? undefined : state.rounds.find(({ test }) => test.metric >= target)?.round
  const { counted } = state
  return {
    config,
    title: scenario.title,
    metric: scenario.metric.name,
    classNames: federation.classNames,
    rounds: state.rounds,
    modelHash: toHex(modelHash(state.weights)),
    dataHash: state.dataHash,
    ...(reached === undefined ? {} : { reached }),
    test: judgedBy(scenario, metrics),
    confusion: Array.from({ length: classes }, (_, i) => [...metrics.confusion.subarray(i * classes, (i + 1) * classes)]),
    clients,
    ...(pooled === undefined ? {} : { pooled: judgedBy(scenario, pooled) }),
    judgedBy: assignment.test === undefined ? 'labels' : 'own',
    participation: {
      least: counted.reduce((low, n) => Math.min(low, n)),
      mean: counted.reduce((sum, n) => sum + n) / counted.length,
      most: counted.reduce((high, n) => Math.max(high, n)),
    },
  }
}

export function judgedBy(scenario: Scenario, metrics: Metrics): Judged {
  const { examples, loss, accuracy } = metrics
  return { examples, loss, accuracy, metric: scenario.metric.of(metrics) }
}
