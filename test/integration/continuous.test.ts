import { decodeClientMessage, type JournalEntry } from '@fedweave/aggregator'
import type { LocalDataset } from '@fedweave/client'
import { afterEach, expect, test } from 'vitest'
import {
  deltaOf,
  enrolledStore,
  entriesOf,
  type RunningServer,
  scriptedTrainer,
  startServer,
  stepOf,
  TINY_SIZE,
  tinyClient,
  tinyTask,
  weightsOf,
} from './support.ts'

type Client = Awaited<ReturnType<typeof tinyClient>>
type Started = Awaited<ReturnType<typeof start>>

let server: RunningServer
const stop = new Set<AbortController>()
afterEach(async () => {
  for (const controller of stop) controller.abort()
  stop.clear()
  await server.app.close()
})

const cohort = { minimum: 3, target: 3, overSelection: 1 }

/** The data set of which a client makes `deltaOf(client, version)`. */
const dataOf = (client: number, version: number): LocalDataset => ({
  xs: Float32Array.of(client, version, 0, 0),
  shape: [4],
  labels: Int32Array.of(0),
})

/** A client whose delta follows from its data set and from nothing else. */
async function start(client: number, version: number, training: () => Promise<unknown> = async () => undefined) {
  const trainer = ({ xs }: LocalDataset) => ({
    async train() {
      await training()
      return { delta: deltaOf(xs[0] as number, xs[1] as number), examples: 1, steps: 1, loss: 1, accuracy: 0 }
    },
    close: async () => undefined,
  })
  const made = await tinyClient(server.url, `continuous-${client}`, { dataset: dataOf(client, version), trainer })
  return { client: made, ...join(made) }
}

function join(client: Client) {
  const controller = new AbortController()
  stop.add(controller)
  const run = client.run({ signal: controller.signal })
  run.catch(() => undefined)
  const leave = async () => {
    controller.abort()
    await expect(run).rejects.toMatchObject({ code: 'FL_STOPPED' })
  }
  return { run, leave }
}

const patient = { timeout: 15_000 }
const status = () => server.app.hub.task('tiny').status
const resting = (committed: number) =>
  expect.poll(() => [status().state, status().rounds], patient).toEqual(['resting', { committed, planned: committed }])

/** From the start of a server: resolves when clients have reported new data so many times, each of them once by coming. */
function reportsTo({ app }: RunningServer): (count: number) => Promise<void> {
  let reports = 0
  app.io.on('connection', (socket) => {
    socket.onAny((_, raw: Uint8Array) => {
      if (decodeClientMessage(new Uint8Array(raw)).type === 'available') reports += 1
    })
  })
  return (count) => expect.poll(() => reports, patient).toBe(count)
}

/** The journal's entry `index` moved the model by the mean of these deltas, within one quantum. */
function expectMean(index: number, deltas: readonly Float32Array[]): void {
  const entry = entriesOf(server)[index] as JournalEntry
  const [before, after] = [weightsOf(server.disk, entry.modelBefore), weightsOf(server.disk, entry.modelAfter)]
  for (let p = 0; p < TINY_SIZE; p++) {
    const mean = deltas.reduce((sum, delta) => sum + (delta[p] as number), 0) / deltas.length
    expect(Math.abs((after[p] as number) - (before[p] as number) - mean)).toBeLessThan(stepOf(server) + 1e-6)
  }
}

test('a continuous task rests after its round, and commits another from the new data of three clients, not of two', async () => {
  server = await startServer(tinyTask({ rounds: 1, continuous: true, cohort }))
  const reported = reportsTo(server)
  const started = await Promise.all([0, 1, 2].map((i) => start(i, 0)))
  const [a, b, c] = started.map(({ client }) => client) as [Client, Client, Client]
  await resting(1)
  expectMean(
    1,
    [0, 1, 2].map((i) => deltaOf(i, 0)),
  )
  expect(() => a.newData({ ...dataOf(0, 9), shape: [2, 2] })).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE' }))

  a.newData(dataOf(0, 1))
  b.newData(dataOf(1, 1))
  await reported(3 + 2)
  expect(status().state).toBe('resting')
  c.newData(dataOf(2, 1))
  await resting(2)
  expectMean(
    2,
    [0, 1, 2].map((i) => deltaOf(i, 1)),
  )
  const rounds = server.events.flatMap((event) => (event.type === 'committed' ? event.round : []))
  expect(rounds).toEqual([1, 2]) // no other was tried
  expect(server.events.filter(({ type }) => type === 'finished')).toEqual([])

  await server.app.hub.task('tiny').stop()
  expect((await Promise.all(started.map(({ run }) => run))).map(({ rounds }) => rounds)).toEqual([2, 2, 2])
})

test('data that come while a round runs wait for its end; then they count as new, and the round is of those before', async () => {
  server = await startServer(tinyTask({ rounds: 1, continuous: true, cohort }))
  let go = () => undefined as unknown
  const trained = new Promise((resolve) => {
    go = () => resolve(undefined)
  })
  let training = 0
  const started = await Promise.all(
    [0, 1, 2].map((i) =>
      start(i, 0, () => {
        training += 1
        return trained
      }),
    ),
  )
  await expect.poll(() => training, patient).toBe(3)
  started[0]?.client.newData(dataOf(0, 1))
  go()
  await resting(1)
  expectMean(
    1,
    [0, 1, 2].map((i) => deltaOf(i, 0)),
  )
  for (const i of [1, 2]) started[i]?.client.newData(dataOf(i, 1))
  await resting(2)
  expectMean(
    2,
    [0, 1, 2].map((i) => deltaOf(i, 1)),
  )
})

test('what clients reported to a resting task outlasts a restart of the server', async () => {
  const task = tinyTask({ rounds: 1, continuous: true, cohort })
  server = await startServer(task)
  const reported = reportsTo(server)
  const [a, b, c] = (await Promise.all([0, 1, 2].map((i) => start(i, 0)))).map(({ client }) => client) as [Client, Client, Client]
  const off = a.on('round', () => {
    off()
    a.newData(dataOf(0, 1)) // as soon as the round is over
  })
  await resting(1)
  b.newData(dataOf(1, 1))
  await reported(3 + 2)
  const { disk, url } = server
  await server.app.close()
  server = await startServer(task, { disk, port: Number(new URL(url).port) })
  expect(status()).toMatchObject({ state: 'resting', rounds: { committed: 1, planned: 1 } })
  await expect.poll(() => status().clients.connected, patient).toBe(3)
  c.newData(dataOf(2, 1))
  await resting(2)
  expectMean(
    2,
    [0, 1, 2].map((i) => deltaOf(i, 1)),
  )
})

test('a client that was never in a round of the task brings new data; one that comes back without any does not', async () => {
  server = await startServer(tinyTask({ rounds: 1, continuous: true, cohort }))
  const reported = reportsTo(server)
  const connected = (count: number) => expect.poll(() => status().clients.connected, patient).toBe(count)
  const [a, b, c] = (await Promise.all([0, 1, 2].map((i) => start(i, 0)))) as [Started, Started, Started]
  await resting(1)
  await a.leave()
  await connected(2)
  b.client.newData(dataOf(1, 1))
  c.client.newData(dataOf(2, 1))
  await reported(3 + 2)
  expect(status().state).toBe('resting')
  const d = await start(3, 1)
  await resting(2)
  expectMean(
    2,
    [1, 2, 3].map((i) => deltaOf(i, 1)),
  )

  await b.leave()
  await connected(2)
  join(b.client)
  await connected(3)
  c.client.newData(dataOf(2, 2))
  d.client.newData(dataOf(3, 2))
  await reported(4 + 4)
  expect(status()).toMatchObject({ state: 'resting', clients: { connected: 3 } })
})

test('a task that is not continuous finishes after its rounds, although there are new data', async () => {
  server = await startServer(tinyTask({ rounds: 1, cohort }))
  const started = await Promise.all([0, 1, 2].map((i) => start(i, 0)))
  for (const { client } of started) client.on('round', () => client.newData(dataOf(0, 1)))
  expect((await Promise.all(started.map(({ run }) => run))).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(status()).toMatchObject({ state: 'finished', rounds: { committed: 1, planned: 1 } })
})

test('a client whose only round was aborted still brings new data when it comes back in another process', async () => {
  const deadlines = { recruitingMs: 10_000, setupMs: 5000, collectingMs: 1000, confirmingMs: 5000, unmaskingMs: 5000 }
  server = await startServer(tinyTask({ rounds: 1, continuous: true, cohort, deadlines }))
  const reported = reportsTo(server)
  const store = await enrolledStore('back')
  const never = scriptedTrainer({ delta: deltaOf(0), examples: 1, loss: 1, accuracy: 0 }, () => new Promise(() => undefined))
  const process = async () => join(await tinyClient(server.url, 'back', { store, trainer: never.trainer }))
  const first = await process()
  await Promise.all([1, 2].map((i) => start(i, 0, () => new Promise(() => undefined))))
  await reported(3)
  await expect
    .poll(() => server.events.some((event) => event.type === 'phase' && event.phase === 'collecting'), patient)
    .toBe(true)
  await first.leave()
  await expect.poll(() => server.events.some((event) => event.type === 'round-ended'), patient).toBe(true)
  expect((await store.ledger('tiny'))?.head).toBeDefined()
  await process()
  await reported(4)
})
