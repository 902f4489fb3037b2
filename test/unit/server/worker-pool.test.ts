import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { WorkerPool } from '../../../server/src/compute/worker-pool.ts'

type Job = { readonly kind: 'echo'; readonly value: unknown } | { readonly kind: 'id' | 'crash' | 'exit' | 'wait' | 'refuse' }

/** Answers `echo` and `id`, dies in two ways, refuses, and never ends `wait`. */
const SCRIPT = `
const { parentPort, threadId } = require('node:worker_threads')
parentPort.on('message', ({ kind, value }) => {
  if (kind === 'crash') throw new Error('out of memory')
  if (kind === 'exit') process.exit(3)
  if (kind === 'echo') parentPort.postMessage({ result: value })
  if (kind === 'id') parentPort.postMessage({ result: threadId })
  if (kind === 'refuse') parentPort.postMessage({ error: { code: 'FL_SEAL_BROKEN', message: 'broken', cure: 'mend it' } })
})
`

let pools: WorkerPool<Job>[] = []

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
  pools = []
})

function poolOf(size: number) {
  const started: Worker[] = []
  const pool = new WorkerPool<Job>(size, () => {
    const worker = new Worker(SCRIPT, { eval: true })
    started.push(worker)
    return worker
  })
  pools.push(pool)
  return { pool, started }
}

const echo = (value: unknown): Job => ({ kind: 'echo', value })

describe('a pool of workers', () => {
  test('starts no thread before the first job, and no more than its size', async () => {
    const { pool, started } = poolOf(2)
    expect(started).toHaveLength(0)
    expect(await pool.run(echo(1))).toBe(1)
    expect(started).toHaveLength(1)
    expect(await Promise.all([1, 2, 3, 4, 5].map((value) => pool.run(echo(value))))).toEqual([1, 2, 3, 4, 5])
    expect(started).toHaveLength(2)
  })

  test('gives each thread one job at a time, and goes on with the others while one is busy', async () => {
    const { pool } = poolOf(2)
    const waiting = expect(pool.run({ kind: 'wait' })).rejects.toMatchObject({ code: 'FL_STOPPED' })
    const ids = await Promise.all([1, 2, 3].map(() => pool.run({ kind: 'id' })))
    expect(new Set(ids).size).toBe(1)
    await pool.close()
    await waiting
  })

  test('takes the arrays that are transferred', async () => {
    const { pool } = poolOf(1)
    const bytes = Uint8Array.of(1, 2, 3)
    const answer = pool.run(echo(bytes), [bytes.buffer])
    expect(bytes).toHaveLength(0)
    expect(await answer).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('gives a refusal its class, code and cure back, and the thread goes on', async () => {
    const { pool, started } = poolOf(1)
    await expect(pool.run({ kind: 'refuse' })).rejects.toMatchObject({
      name: 'FedweaveError',
      code: 'FL_SEAL_BROKEN',
      message: 'broken',
      cure: 'mend it',
    })
    expect(await pool.run(echo(1))).toBe(1)
    expect(started).toHaveLength(1)
  })

  test.each([
    ['throws', 'crash', 'a worker thread died: Error: out of memory'],
    ['exits', 'exit', 'a worker thread died: it left with code 3'],
  ] as const)('fails the job of a thread that %s, and does the waiting ones in a new one', async (_, kind, message) => {
    const { pool, started } = poolOf(1)
    const failed = expect(pool.run({ kind })).rejects.toMatchObject({ name: 'FedweaveError', code: 'FL_SERVER_FAULT', message })
    const next = pool.run(echo('next'))
    await failed
    expect(await next).toBe('next')
    expect(started).toHaveLength(2)
  })

  test('that is closed rejects what runs, what waits and what comes, and ends its threads', async () => {
    const { pool, started } = poolOf(1)
    const stopped = (job: Promise<unknown>) => expect(job).rejects.toMatchObject({ code: 'FL_STOPPED' })
    const jobs = [stopped(pool.run({ kind: 'wait' })), stopped(pool.run(echo(1)))]
    const closed = pool.close()
    await Promise.all([...jobs, stopped(pool.run(echo(2))), closed])
    expect(started.map(({ threadId }) => threadId)).toEqual([-1])
  })
})
