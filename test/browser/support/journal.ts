import { entryId, hash, openConfig, toHex, UpdateFormat } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { localTrainer } from '@fedweave/client/tfjs'
import { entriesOf, operatorKey, weightsOf } from '../../integration/support.ts'
import { type Federation, shardOf } from './federation.ts'

/** The clients of each journal entry's first cohort; the entry of the initial model has none. */
export function rosters(federation: Federation): readonly (readonly string[])[] {
  return entriesOf(federation).map((entry) => (entry.cohorts[0]?.roster ?? []).map(entryId))
}

/** What the first round committed, and what it should be by training every client's examples here, in Node. */
export async function firstRound(federation: Federation, clients: readonly number[]) {
  const { app, disk } = federation
  const { signedConfig } = app.hub.task('digits').history
  const { config } = openConfig(nodeCurves, operatorKey, signedConfig)
  const [, entry] = entriesOf(federation)
  if (entry === undefined) throw new Error('no round was committed')
  const start = weightsOf(disk, entry.modelBefore)
  const expected = Float64Array.from(start)
  for (const client of clients) {
    const trainer = localTrainer(shardOf(client))
    const seed = new DataView(hash('training', client, config.taskId, entry.modelBefore).buffer).getUint32(0)
    const { delta } = await trainer.train({ model: config.model, weights: start, plan: config.plan, seed })
    await trainer.close()
    for (const [i, value] of delta.entries()) expected[i] = (expected[i] as number) + value / clients.length
  }
  return {
    weights: weightsOf(disk, entry.modelAfter),
    expected,
    step: new UpdateFormat(config).step,
    hash: toHex(entry.modelAfter),
  }
}
