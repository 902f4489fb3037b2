import { type JournalEntry, toHex, verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { afterEach, expect, test } from 'vitest'
import { verifyModels } from '../../simulations/src/verify/models.ts'
import {
  enrolmentKey,
  entriesOf,
  operatorKey,
  type RunningServer,
  scriptedTrainer,
  startServer,
  stepOf,
  TINY_SIZE,
  tinyClient,
  tinyTask,
  weightsOf,
} from './support.ts'

let server: RunningServer | undefined
afterEach(async () => {
  await server?.app.close()
  server = undefined
})

/** Runs one round of nine clients in three cohorts, one of them poisoned, and gives what it added to each weight. */
async function poisonedRound(combine: string): Promise<{ readonly change: Float32Array; readonly running: RunningServer }> {
  const cohort = { minimum: 3, target: 3, overSelection: 1, groups: 3 }
  const running = await startServer(tinyTask({ cohort, combine }))
  server = running
  const clients = Array.from({ length: 9 }, async (_, i) => {
    const value = i === 4 ? -2.5 : 0.1 // one client pulls as far as its clip bound lets it
    const { trainer } = scriptedTrainer({ delta: new Float32Array(TINY_SIZE).fill(value), examples: 1, loss: 1, accuracy: 0 })
    return (await tinyClient(running.url, `group-${i}`, { trainer })).run()
  })
  expect((await Promise.all(clients)).map(({ rounds }) => rounds)).toEqual(Array(9).fill(1))
  const entry = entriesOf(running).at(-1) as JournalEntry
  expect(entry.cohorts.map(({ survivors }) => survivors.length)).toEqual([3, 3, 3])
  const [before, after] = [weightsOf(running.disk, entry.modelBefore), weightsOf(running.disk, entry.modelAfter)]
  return { change: after.map((weight, p) => weight - (before[p] as number)), running }
}

test('with three cohorts and the median one poisoned client moves nothing, and the journal of all cohorts verifies', async () => {
  const { change, running } = await poisonedRound('median')
  for (const moved of change) expect(Math.abs(moved - 0.1)).toBeLessThan(stepOf(running) + 1e-6)
  const { signedConfig } = running.app.hub.task('tiny').history
  const report = verifyJournal(nodeCurves, signedConfig, running.disk.journal, { operatorKey, enrolmentKey })
  expect(report).toEqual({ rounds: 1, transcripts: 9, problems: [] })
})

test('the sums of the cohorts are kept, and the model follows from them, but nobody else is shown them', async () => {
  const { running } = await poisonedRound('median')
  const { config } = running.app.hub.task('tiny').history
  const entries = entriesOf(running)
  const kept = async (hash: string) => running.disk.checkpoints.get(hash)
  const whole = { models: 2, replayed: 1, problems: [] }
  expect(await verifyModels(config, entries, { model: kept, aggregate: kept })).toEqual(whole)
  const { aggregates } = entries[1] as JournalEntry
  expect(aggregates).toHaveLength(3)
  for (const hash of aggregates)
    for (const kind of ['aggregates', 'models'])
      expect((await fetch(`${running.url}/v1/tasks/tiny/${kind}/${toHex(hash)}`)).status).toBe(404)

  // A server that commits another model than its sums give is found out.
  const other = { ...config, strategy: { ...config.strategy, combine: 'mean' } } as const
  const { problems } = await verifyModels(other, entries, { model: kept, aggregate: kept })
  expect(problems).toEqual(['entry 1: the model does not follow from the one before and the sums of the round'])
})

test('the plain mean, by contrast, follows the poisoned client', async () => {
  const { change, running } = await poisonedRound('mean')
  const mean = (8 * 0.1 - 2.5) / 9
  for (const moved of change) expect(Math.abs(moved - mean)).toBeLessThan(stepOf(running) + 1e-6)
})
