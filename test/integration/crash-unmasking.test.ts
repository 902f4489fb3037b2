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
 * Runs one round with so many clients. When the first has come so far, and `cohorts` are kept, every connection breaks, and a
 * server that has nothing but what was on the disk at that moment takes the first one's place.
 */
async function crashAtTheFirst(
  progress: 'confirmed' | 'unmasked',
  task: ReturnType<typeof tinyTask>,
  { clients = 4, cohorts = 0 }: { readonly clients?: number; readonly cohorts?: number } = {},
) {
  const coordinatorSecret = seededEntropy('crash/coordinator').bytes(32)
  const first = await startServer(task, { coordinatorSecret })
  server = first
  const { app, disk } = first
  const kept = () => [...disk.notes].filter(([name, note]) => name.startsWith('round-') && note.length > 0).length
  const restarted = new Promise<RunningServer>((resolve) => {
    app.hub.task('tiny').events.once('event', function listen(event) {
      if (event.type !== 'client' || event.progress !== progress || kept() < cohorts) {
        app.hub.task('tiny').events.once('event', listen)
        return
      }
      resolve(crashed(first, task, { coordinatorSecret }))
    })
  })
  const trainers = Array.from({ length: clients }, (_, i) =>
    scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }),
  )
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
  expect(server.disk.notes.get('round-0')).toHaveLength(0) // nothing of it is kept
})

test('a server that crashes while its clients confirm gives that round up for good, and they bring the same updates to another', async () => {
  const { server, runs, trainings } = await crashAtTheFirst('confirmed', tinyTask({ cohort }))
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1])
  expect(trainings()).toEqual([1, 1, 1, 1])
  const [, entry, ...more] = entriesOf(server)
  expect(more).toEqual([])
  expect(entry?.round).toBeGreaterThan(1) // no second survivor list can bear the context of the first
})

test('a round of three cohorts is finished after a crash, too, once all had come so far', async () => {
  const task = tinyTask({ cohort: { minimum: 3, target: 3, overSelection: 1, groups: 3 } })
  const { server, runs, trainings } = await crashAtTheFirst('unmasked', task, { clients: 9, cohorts: 3 })
  expect((await Promise.all(runs)).map(({ rounds }) => rounds)).toEqual(Array(9).fill(1))
  expect(trainings()).toEqual(Array(9).fill(1))
  const [, entry, ...more] = entriesOf(server)
  expect(more).toEqual([])
  expect([entry?.round, entry?.cohorts.map(({ survivors }) => survivors.length)]).toEqual([1, [3, 3, 3]])
  expect([...server.disk.notes].filter(([name, note]) => name.startsWith('round-') && note.length > 0)).toEqual([])
})
