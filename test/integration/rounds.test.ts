import { verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { afterEach, expect, test } from 'vitest'
import {
  deltaOf,
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

test('over real sockets every round commits the plain mean of the deltas within one quantum', async () => {
  const clients = 5
  const rounds = 3
  server = await startServer(tinyTask({ rounds, cohort: { minimum: 3, target: clients, overSelection: 1 } }))
  const runs = await Promise.all(
    Array.from({ length: clients }, async (_, i) => {
      let round = 0
      const client = await tinyClient(server?.url ?? '', `mean-${i}`, {
        trainer: () => ({
          train: async () => ({ delta: deltaOf(i, round++), examples: 10 + i, steps: 1, loss: i, accuracy: i / 10 }),
          close: async () => undefined,
        }),
      })
      return client.run()
    }),
  )
  expect(runs.map(({ rounds }) => rounds)).toEqual(Array(clients).fill(rounds))

  const entries = entriesOf(server)
  const step = stepOf(server)
  for (const [r, entry] of entries.slice(1).entries()) {
    const before = weightsOf(server.disk, entry.modelBefore)
    const after = weightsOf(server.disk, entry.modelAfter)
    for (let p = 0; p < TINY_SIZE; p++) {
      const mean = Array.from({ length: clients }, (_, i) => deltaOf(i, r)[p] as number).reduce((a, b) => a + b, 0) / clients
      expect(Math.abs((after[p] as number) - (before[p] as number) - mean)).toBeLessThan(step + 1e-6)
    }
    expect(entry.training?.loss).toBeCloseTo(2, 5)
    expect(entry.training?.accuracy).toBeCloseTo(0.2, 6)
    expect(entry.weight).toBe(clients)
  }
  const { signedConfig } = server.app.hub.task('tiny').history
  const report = verifyJournal(nodeCurves, signedConfig, server.disk.journal, { operatorKey, enrolmentKey })
  expect(report).toEqual({ rounds, transcripts: clients * rounds, problems: [] })
})

test('examples weigh when the task says so, up to the cap', async () => {
  const secureAggregation = { clipBound: 10, valueBits: 16, weighting: 'examples', maxWeight: 4 }
  server = await startServer(tinyTask({ cohort: { minimum: 3, target: 3, overSelection: 1 }, secureAggregation }))
  const examples = [1, 2, 100]
  const weights = [1, 2, 4]
  await Promise.all(
    examples.map(async (count, i) => {
      const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: count, loss: 1, accuracy: 0.5 })
      return (await tinyClient(server?.url ?? '', `weight-${i}`, { trainer })).run()
    }),
  )
  const entry = entriesOf(server).at(-1)
  if (entry === undefined) throw new Error('no round was committed')
  expect(entry.weight).toBe(7)
  const [before, after] = [weightsOf(server.disk, entry.modelBefore), weightsOf(server.disk, entry.modelAfter)]
  for (let p = 0; p < TINY_SIZE; p++) {
    const mean = weights.reduce((sum, w, i) => sum + w * (deltaOf(i)[p] as number), 0) / 7
    expect(Math.abs((after[p] as number) - (before[p] as number) - mean)).toBeLessThan(stepOf(server) + 1e-6)
  }
})

test('a client whose connection is cut in every phase comes back to the same round and counts', async () => {
  server = await startServer(tinyTask({ cohort: { minimum: 3, target: 3, overSelection: 1 } }), { reconnectMs: 5000 })
  const { app } = server
  const cut = new Set<string>()
  app.hub.task('tiny').events.on('event', (event) => {
    if (event.type !== 'phase' || cut.has(event.phase)) return
    cut.add(event.phase)
    setTimeout(() => {
      for (const socket of app.io.sockets.sockets.values()) {
        socket.conn.close()
        break
      }
    }, 5)
  })
  const runs = await Promise.all(
    [0, 1, 2].map(async (i) => {
      const slow = () => new Promise((resolve) => setTimeout(resolve, 300))
      const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }, slow)
      return (await tinyClient(server?.url ?? '', `cut-${i}`, { trainer })).run()
    }),
  )
  expect([...cut]).toEqual(expect.arrayContaining(['setup', 'collecting', 'confirming', 'unmasking']))
  expect(runs.map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(entriesOf(server).at(-1)?.cohorts[0]?.survivors.length).toBe(3)
})

test('after a server crash in mid-round the clients re-enter with the deltas that they had trained, by certificate', async () => {
  const task = tinyTask({ cohort: { minimum: 3, target: 4, overSelection: 1 } })
  server = await startServer(task)
  const { disk, url } = server
  const port = Number(new URL(url).port)
  // The last of the four trains until the crash, so that the other three have uploaded and none has unmasked.
  let crashed = () => undefined as unknown
  const crash = new Promise((resolve) => {
    crashed = () => resolve(undefined)
  })
  const trainers = [0, 1, 2, 3].map((i) =>
    scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }, i === 3 ? () => crash : undefined),
  )
  const uploads: number[] = []
  server.app.hub.task('tiny').events.on('event', (event) => {
    if (event.type === 'client' && event.progress === 'uploaded') uploads.push(event.round)
    if (uploads.length === 3) setImmediate(restart)
  })
  let restarted: Promise<RunningServer> | undefined
  const restart = () => {
    if (restarted !== undefined) return
    restarted = Promise.resolve().then(async () => {
      // A crash tells nobody anything: cut the sockets, then drop the old server.
      for (const socket of server?.app.io.sockets.sockets.values() ?? []) socket.conn.close()
      await server?.app.close()
      crashed()
      return startServer(task, { disk, port })
    })
  }
  const runs = await Promise.all(trainers.map(async ({ trainer }, i) => (await tinyClient(url, `crash-${i}`, { trainer })).run()))
  server = await restarted
  if (server === undefined) throw new Error('the server did not restart')
  expect(runs.map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1])
  const entry = entriesOf(server).at(-1)
  expect(entry?.index).toBe(1)
  expect(entry?.round).toBeGreaterThan(1)
  expect(trainers.slice(0, 3).map(({ calls }) => calls.count)).toEqual([1, 1, 1])
})

test('an over-selected cohort closes at its target; the slow client is left out exactly and is heard in the next round', async () => {
  const cohort = { minimum: 3, target: 3, overSelection: 4 / 3 }
  const secureAggregation = { clipBound: 10, valueBits: 16, weighting: 'uniform', maxWeight: 1, dropout: 0.25 }
  server = await startServer(tinyTask({ rounds: 2, cohort, secureAggregation }))
  const { app, url } = server
  // Client 3 trains until round 1 is over, client 0 in round 2 until that is.
  const commits = [1, 2].map(
    (n) =>
      new Promise((resolve) =>
        app.hub
          .task('tiny')
          .events.on('event', ({ type }) => type === 'committed' && app.hub.task('tiny').history.rounds === n && resolve(n)),
      ),
  )
  const waits: Record<number, readonly (Promise<unknown> | undefined)[]> = { 0: [undefined, commits[1]], 3: [commits[0]] }
  const codes: (string | undefined)[] = []
  const runs = await Promise.all(
    [0, 1, 2, 3].map(async (i) => {
      const { trainer, calls } = scriptedTrainer(
        { delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 },
        async () => waits[i]?.[calls.count - 1],
      )
      const client = await tinyClient(url, `over-${i}`, { trainer })
      client.on('round', ({ code }) => i === 3 && codes.push(code))
      return client.run()
    }),
  )
  expect(codes[0]).toBe('FL_ROUND_STALE')
  expect(runs.map(({ rounds }) => rounds)).toEqual([1, 2, 2, 1])
  const [, first] = entriesOf(server)
  expect([first?.cohorts[0]?.roster.length, first?.cohorts[0]?.survivors.length]).toEqual([4, 3])
  const [before, after] = [
    weightsOf(server.disk, first?.modelBefore as Uint8Array),
    weightsOf(server.disk, first?.modelAfter as Uint8Array),
  ]
  for (let p = 0; p < TINY_SIZE; p++) {
    const mean = [0, 1, 2].reduce((sum, i) => sum + (deltaOf(i)[p] as number), 0) / 3
    expect(Math.abs((after[p] as number) - (before[p] as number) - mean)).toBeLessThan(stepOf(server) + 1e-6)
  }
})
