import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import { MemoryDisk, memoryStore, taskFolders } from '@fedweave/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashOfKey } from '../../server/src/access/operator.ts'
import { rawHttp } from './raw-socket.ts'
import {
  deltaOf,
  type RunningServer,
  scriptedTrainer,
  startServer,
  TINY_SIZE,
  TINY_TOPOLOGY,
  tinyClient,
  tinyTask,
} from './support.ts'

const OPERATOR = `fwo_${'k'.repeat(43)}`
const cohort = { minimum: 3, target: 3 }
const deadlines = { recruitingMs: 60_000, setupMs: 5000, collectingMs: 60_000, confirmingMs: 5000, unmaskingMs: 5000 }

let folder: string
let server: RunningServer
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-tasks-'))
  server = await start()
})
afterEach(async () => {
  await server.app.close()
  await rm(folder, { recursive: true, force: true })
})

function start(): Promise<RunningServer> {
  const folders = taskFolders(folder)
  return startServer(tinyTask({ cohort, deadlines }), {
    openStore: folders.openStore,
    shelf: folders,
    operator: { keyHash: hashOfKey(OPERATOR) },
  })
}

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly error?: { code: string; message: string; cure: string } }
}

async function call(method: string, path: string, body?: unknown, key = OPERATOR): Promise<Answer> {
  const answer = await fetch(`${server.url}/v1/tasks${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
}

const runClient = async (task: string, i: number, ready?: () => Promise<unknown>) => {
  const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }, ready)
  return tinyClient(server.url, `${task}-${i}`, { task, trainer })
}
const runThree = (task: string) => Promise.all([0, 1, 2].map(async (i) => (await runClient(task, i)).run()))
const idsOf = async () => ((await call('GET', '')).body.tasks as { id: string }[]).map(({ id }) => id)

test('a task that was made over the API runs beside the others, and is there again after a restart with its rounds', async () => {
  const weights = Float32Array.from({ length: TINY_SIZE }, (_, i) => i / 10)
  const initialWeights = Buffer.from(weights.buffer).toString('base64')
  const model = { topology: JSON.parse(TINY_TOPOLOGY) as object, initialWeights }
  const made = await call('POST', '', { id: 'second', model, rounds: 2, cohort, deadlines })
  expect([made.status, made.body.id, made.body.state]).toEqual([201, 'second', 'waiting'])
  expect(await idsOf()).toEqual(['tiny', 'second'])
  const first = await fetch(`${server.url}/v1/tasks/second/models/latest`)
  expect(new Float32Array(await first.arrayBuffer())).toEqual(weights)
  expect((await call('POST', '', { id: 'second', model })).body.error?.code).toBe('FL_TASK_EXISTS')

  const running = Promise.all([runThree('tiny'), runThree('second')])
  expect((await running).flat().map(({ rounds }) => rounds)).toEqual([1, 1, 1, 2, 2, 2])
  const before = (await call('GET', '/second')).body
  expect(before.state).toBe('finished')
  await server.app.close()
  server = await start()
  const after = (await call('GET', '/second')).body
  expect({ ...after, clients: 0 }).toEqual({ ...before, clients: 0 })
  expect(await idsOf()).toEqual(['tiny', 'second'])
  expect((await call('GET', '/second/config')).body).toMatchObject({ taskId: 'second', cohort, deadlines })
})

test('weights that initialisers drew without a seed are the same after a restart; with a seed they are the same twice', async () => {
  const unseeded = TINY_TOPOLOGY.replace(',"seed":7', '')
  expect(unseeded).not.toBe(TINY_TOPOLOGY)
  for (const [id, seed] of [
    ['free', undefined],
    ['one', 5],
    ['two', 5],
    ['three', 6],
  ] as const) {
    const made = await call('POST', '', { id, model: { topology: unseeded, ...(seed === undefined ? {} : { seed }) } })
    expect([id, made.status]).toEqual([id, 201])
  }
  const hashes = async () =>
    new Map(
      ((await call('GET', '')).body.tasks as { id: string; model: { hash: string } }[]).map(({ id, model }) => [id, model.hash]),
    )
  const before = await hashes()
  expect(before.get('one')).toBe(before.get('two'))
  expect(before.get('one')).not.toBe(before.get('three'))
  await server.app.close()
  server = await start()
  expect(await hashes()).toEqual(before)
})

test('a paused task finishes its round, admits nobody to a new one and says when to come back, also after a restart', async () => {
  await call('POST', '', { id: 'p', model: { topology: TINY_TOPOLOGY }, rounds: 2, cohort, deadlines })
  let go = () => undefined as unknown
  const trained = new Promise((resolve) => {
    go = () => resolve(undefined)
  })
  const clients = await Promise.all([0, 1, 2].map((i) => runClient('p', i, () => trained)))
  const warnings: string[] = []
  for (const client of clients) client.on('warning', ({ message }) => warnings.push(message))
  const runs = Promise.all(clients.map((client) => client.run()))
  const phase = async () => ((await call('GET', '/p')).body.round as { phase: string } | undefined)?.phase
  await expect.poll(phase).toBe('collecting')
  const paused = await call('POST', '/p/pause', { comeBackS: 120 })
  expect(paused.body).toMatchObject({ state: 'paused', comeBackS: 120, rounds: { committed: 0 }, round: { phase: 'collecting' } })
  go()
  await expect.poll(async () => (await call('GET', '/p')).body.rounds).toEqual({ committed: 1, planned: 2 })
  await expect.poll(phase).toBeUndefined()
  const said = 'FL_TASK_PAUSED: task p is paused: stay, or come back in 120 s'
  expect(warnings.filter((warning) => warning === said)).toHaveLength(3)

  const { port } = new URL(server.url)
  await server.app.close()
  const folders = taskFolders(folder)
  server = await startServer(tinyTask({ cohort, deadlines }), {
    ...{ port: Number(port), openStore: folders.openStore, shelf: folders, operator: { keyHash: hashOfKey(OPERATOR) } },
  })
  await expect.poll(() => warnings.filter((warning) => warning === said).length, { timeout: 60_000 }).toBe(6)
  expect((await call('GET', '/p')).body).toMatchObject({ state: 'paused', clients: { connected: 3 }, rounds: { committed: 1 } })
  expect((await call('POST', '/p/resume')).body.comeBackS).toBeUndefined()
  expect((await runs).map(({ rounds }) => rounds)).toEqual([2, 2, 2])
  expect((await call('POST', '/p/resume')).body.error?.code).toBe('FL_TASK_STATE')
})

test('a stopped task gives its round up, lets its clients go, and can then be deleted with all it kept', async () => {
  await call('POST', '', { id: 's', model: { topology: TINY_TOPOLOGY }, rounds: 5, cohort, deadlines })
  const clients = await Promise.all([0, 1, 2].map((i) => runClient('s', i, () => new Promise(() => undefined))))
  const runs = Promise.all(clients.map((client) => client.run()))
  await expect
    .poll(async () => ((await call('GET', '/s')).body.round as { phase?: string } | undefined)?.phase)
    .toBe('collecting')
  expect((await call('DELETE', '/s')).body.error).toMatchObject({
    code: 'FL_TASK_STATE',
    message: 'task s is not at its end: it is running',
  })
  const events = await fetch(`${server.url}/v1/tasks/s/events`)
  expect((await call('POST', '/s/stop')).body.state).toBe('stopped')
  expect((await runs).map(({ rounds }) => rounds)).toEqual([0, 0, 0])
  expect((await call('POST', '/s/pause')).body.error?.code).toBe('FL_TASK_STATE')
  expect((await (await runClient('s', 4)).run()).rounds).toBe(0)
  await expect.poll(async () => (await call('GET', '/s')).body.round).toBeUndefined()
  await server.app.close()
  server = await start()
  expect((await call('GET', '/s')).body.state).toBe('stopped')
  expect(await events.text()).toContain('"state":"stopped"')

  expect((await call('DELETE', '/s')).status).toBe(204)
  expect((await call('GET', '/s')).body.error?.code).toBe('FL_TASK_UNKNOWN')
  expect(await readdir(folder)).toEqual(['tiny'])
  expect((await call('DELETE', '/tiny')).body.error?.message).toBe("task tiny stands in the server's config")
  await call('POST', '', { id: 's', model: { topology: TINY_TOPOLOGY }, cohort, deadlines })
  expect((await call('GET', '/s')).body).toMatchObject({ state: 'waiting', rounds: { committed: 0, planned: 10 } })
})

test('what does not go together is refused by the name of its field, and leaves no task behind', async () => {
  const model = { topology: TINY_TOPOLOGY }
  const wrong: readonly (readonly [field: string, message: RegExp, spec: object])[] = [
    ['id', /^id: /, { id: 'No Capitals', model }],
    ['model', /required properties model$/, { id: 't' }],
    ['cohort.target', /^cohort\.target: 3 is below cohort\.minimum 5$/, { id: 't', model, cohort: { minimum: 5, target: 3 } }],
    ['an unknown field', /^cohort\.minimun: unknown field$/, { id: 't', model, cohort: { minimun: 3 } }],
    [
      'maxWeight',
      /^secureAggregation\.maxWeight: must be 1 with uniform/,
      { id: 't', model, secureAggregation: { maxWeight: 2 } },
    ],
    ['combine', /^strategy\.combine: median needs cohort\.groups >= 3, got 1$/, { id: 't', model, combine: 'median' }],
    [
      'a rule on single updates',
      /^combine: krum needs single updates, which secure aggregation keeps from the server$/,
      { id: 't', model, combine: 'krum' },
    ],
    ['code on the server', /^evaluation: unknown field$/, { id: 't', model, evaluation: { module: '/etc/passwd' } }],
    [
      'weights of another model',
      /^model\.initialWeights: the model has 15 parameters, got 2$/,
      { id: 't', model: { ...model, initialWeights: 'AAAAAAAAAAA=' } },
    ],
    [
      'weights that are none',
      /^model\.initialWeights: expected float32 values in base64$/,
      { id: 't', model: { ...model, initialWeights: '!' } },
    ],
    [
      'two beginnings',
      /^model\.seed: the weights are given/,
      { id: 't', model: { ...model, initialWeights: 'AAAAAA==', seed: 1 } },
    ],
    [
      'nothing to seed',
      /^model\.seed: the topology names no initialiser that draws$/,
      { id: 't', model: { topology: '{}', seed: 1 } },
    ],
    ['no object', /./, ['t']],
  ]
  for (const [field, message, spec] of wrong) {
    const { status, body } = await call('POST', '', spec)
    expect([field, status, body.error?.code]).toEqual([field, 400, 'FL_CONFIG_INVALID'])
    expect(body.error?.message).toMatch(message)
  }
  const unsupported = await call('POST', '', { id: 't', model: { topology: '{}' } })
  expect([unsupported.status, unsupported.body.error?.code]).toEqual([400, 'FL_MODEL_UNSUPPORTED'])
  expect(await idsOf()).toEqual(['tiny'])
  expect(await readdir(folder)).toEqual(['tiny'])
})

test('nobody but the operator changes a task, and nobody else has its body read', async () => {
  const big = { id: 'x', model: { topology: 'x'.repeat(900_000) } }
  const attempts = [
    ['POST', '', big],
    ['POST', '/tiny/pause', {}],
    ['POST', '/tiny/resume'],
    ['POST', '/tiny/stop'],
    ['DELETE', '/tiny'],
  ] as const
  for (const [method, path, body] of attempts) {
    const { status, body: refused } = await call(method, path, body, 'f'.repeat(64))
    expect([method, path, status, refused.error?.code]).toEqual([method, path, 401, 'FL_OPERATOR_ONLY'])
  }
  expect((await call('GET', '/tiny')).body.state).toBe('waiting')
  expect((await call('POST', '/nope/pause')).body.error?.code).toBe('FL_TASK_UNKNOWN')
  expect((await call('POST', '/tiny/pause', { comeBackS: 0 })).status).toBe(400)
})

test('a reader of events that does not read is cut off, and the others hear on', async () => {
  const { events } = server.app.hub.task('tiny')
  const before = events.listenerCount('event')
  const reader = await fetch(`${server.url}/v1/tasks/tiny/events`)
  const { socket } = rawHttp(server.url, 'GET /v1/tasks/tiny/events HTTP/1.1\nHost: x\n\n')
  socket.pause()
  await expect.poll(() => events.listenerCount('event')).toBe(before + 2)
  const heard = reader.body?.getReader()
  if (heard === undefined) throw new Error('no stream')
  const message = 'x'.repeat(100_000)
  for (let i = 0; i < 1000 && events.listenerCount('event') > before + 1; i++) {
    events.emit('event', { type: 'warning', message })
    await heard.read()
  }
  expect(events.listenerCount('event')).toBe(before + 1)
  await heard.cancel()
  await expect.poll(() => events.listenerCount('event')).toBe(before)
})

test('a round that a full disk kept from opening is opened a little later', async () => {
  const disk = new MemoryDisk()
  const store = memoryStore(disk)
  let full = true
  const note: typeof store.note = (name, bytes) => {
    if (name !== 'attempt' || !full) return store.note(name, bytes)
    full = false
    return Promise.reject(new FedweaveError('FL_SERVER_FAULT', 'the store could not be written: no space left'))
  }
  const other = await startServer(tinyTask({ cohort, deadlines }), { openStore: async () => ({ ...store, note }) })
  const clients = await Promise.all(
    [0, 1, 2].map((i) => {
      const { trainer } = scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })
      return tinyClient(other.url, `full-${i}`, { trainer })
    }),
  )
  const runs = await Promise.all(clients.map((client) => client.run()))
  await other.app.close()
  expect(runs.map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(other.events).toContainEqual({ type: 'warning', message: 'the store could not be written: no space left' })
})
