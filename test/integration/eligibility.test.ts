import { openConfig } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { type FederatedClientOptions, FederatedClient as NodeClient } from '@fedweave/client'
import { afterEach, expect, test } from 'vitest'
import {
  deltaOf,
  enrolledStore,
  operatorKey,
  type RunningServer,
  scriptedTrainer,
  startServer,
  TINY_DATA,
  tinyClient,
  tinyTask,
} from './support.ts'

let server: RunningServer | undefined
afterEach(async () => {
  await server?.app.close()
  server = undefined
})

const cohort = { minimum: 3, target: 3, overSelection: 1 }
const plain = (i: number) => scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })
const few = { xs: new Float32Array(4), shape: [4], labels: Int32Array.of(0) }

test('who does not meet the signed conditions ends with a typed error before any round; the others train as ever', async () => {
  const eligibility = { minimumExamples: 2, runtimes: ['browser'] as const, text: 'one device a person' }
  server = await startServer(tinyTask({ cohort, eligibility }))
  const { url, app, events } = server
  const { signedConfig } = app.hub.task('tiny').history
  expect(openConfig(nodeCurves, operatorKey, signedConfig).config.eligibility).toEqual(eligibility)
  const shown = (await (await fetch(`${url}/v1/tasks/tiny`)).json()) as { eligibility?: unknown }
  expect(shown.eligibility).toEqual(eligibility)

  // Three of each: without their own check they would fill a round.
  const trainers = [0, 1, 2, 3, 4, 5].map(plain)
  const outcomes = await Promise.all(
    trainers.map(async ({ trainer }, i) => {
      const options = i < 3 ? { dataset: few, runtime: 'browser' as const } : { runtime: 'node' as const }
      const client = await tinyClient(url, `not-${i}`, { trainer, ...options })
      return client.run().catch((error: { code: string; message: string }) => `${error.code}: ${error.message}`)
    }),
  )
  expect(outcomes).toEqual([
    ...Array(3).fill('FL_NOT_ELIGIBLE: the task asks for 2 examples at least, and this client has 1'),
    ...Array(3).fill('FL_NOT_ELIGIBLE: the task is for clients in browser, and this one runs in node'),
  ])
  const options: FederatedClientOptions = { url, task: 'tiny', dataset: TINY_DATA, store: await enrolledStore('not-live') }
  await expect(new NodeClient(options).run()).rejects.toMatchObject({ code: 'FL_NOT_ELIGIBLE' })
  expect(trainers.map(({ calls }) => calls.count)).toEqual(Array(6).fill(0))
  expect(events.filter(({ type }) => type === 'client')).toEqual([])

  await expect.poll(() => app.hub.task('tiny').status.clients.connected).toBe(0)
  const runs = [6, 7, 8].map(async (i) =>
    (await tinyClient(url, `met-${i}`, { trainer: plain(i).trainer, runtime: 'browser' })).run(),
  )
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
})

test('a task without conditions says nothing of them, in its config as in its status', async () => {
  server = await startServer(tinyTask({ cohort }))
  const config = new TextDecoder().decode(server.app.hub.task('tiny').history.signedConfig)
  expect(config).toContain('"deadlines"')
  expect(config).not.toContain('eligibility')
  expect(await (await fetch(`${server.url}/v1/tasks/tiny`)).json()).not.toHaveProperty('eligibility')
})
