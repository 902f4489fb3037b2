import { seededEntropy } from '@fedweave/aggregator/testing'
import { afterEach, expect, test } from 'vitest'
import {
  crashed,
  deltaOf,
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

let server: RunningServer | undefined
afterEach(async () => {
  await server?.app.close()
  server = undefined
})

/**
 * Runs one round with four clients. When the first has come so far every connection breaks, and a server that has nothing but
 * what was on the disk at that moment takes the first one's place.
 */
async function crashAtTheFirst(progress: 'confirmed' | 'unmasked', task: ReturnType<typeof tinyTask>) {
  const coordinatorSecret = seededEntropy('crash/coordinator').bytes(32)
  const first = await startServer(task, { coordinatorSecret })
  server = first
  const { app } = first
  const restarted = new Promise<RunningServer>((resolve) => {
    app.hub.task('tiny').events.once('event', function listen(event) {
      if (event.type !== 'client' || event.progress !== progress) {
        app.hub.task('tiny').events.once('event', listen)
        return
      }
      resolve(crashed(first, task, { coordinatorSecret }))
    })
  })
  const trainers = [0, 1, 2, 3].map((i) => scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }))
  const runs = trainers.map(async ({ trainer }, i) => (await tinyClient(first.url, `unmask-crash-${i}`, { trainer })).run())
  server = await restarted
  return { server, runs, trainings: () => trainers.map(({ calls }) => calls.count) }
}

const cohort = { minimum: 3, target: 4, overSelection: 1 }

test('a server that crashes while its clients give shares finishes that round when it is back, from the same updates', async () => {
  const { server, runs, trainings } = await crashAtTheFirst('unmasked', tinyTask({ cohort }))
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1])
  expect(trainings()).toEqual([1, 1, 1, 1])
  const [, entry, ...more] = entriesOf(server)
  if (entry === undefined) throw new Error('no round was committed')
  expect(more).toEqual([])
  expect(entry.round).toBe(1)
  expect(entry.cohorts[0]?.survivors).toHaveLength(4)
  const [before, after] = [weightsOf(server.disk, entry.modelBefore), weightsOf(server.disk, entry.modelAfter)]
  for (let p = 0; p < TINY_SIZE; p++) {
    const mean = [0, 1, 2, 3].reduce((sum, i) => sum + (deltaOf(i)[p] as number) / 4, 0)
    expect(Math.abs((after[p] as number) - (before[p] as number) - mean)).toBeLessThan(stepOf(server) + 1e-6)
  }
  expect(server.disk.notes.get('round')).toHaveLength(0) // nothing of it is kept
})

test('a server that crashes while its clients confirm gives that round up for good, and they bring the same updates to another', async () => {
  const { server, runs, trainings } = await crashAtTheFirst('confirmed', tinyTask({ cohort }))
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1])
  expect(trainings()).toEqual([1, 1, 1, 1])
  const [, entry, ...more] = entriesOf(server)
  expect(more).toEqual([])
  expect(entry?.round).toBeGreaterThan(1) // no second survivor list can bear the context of the first
})
