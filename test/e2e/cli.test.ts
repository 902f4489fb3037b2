import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeServerMessage } from '@fedweave/aggregator'
import { Server } from 'socket.io'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TINY_TOPOLOGY } from '../integration/support.ts'
import { fedweave, type ServeProcess, serveProcess } from './run-cli.ts'

let folder: string
let server: ServeProcess
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-cli-'))
  await writeFile(join(folder, 'tiny.json'), TINY_TOPOLOGY)
  await writeFile(
    join(folder, 'data.mjs'),
    'export const dataset = () => ({ xs: new Float32Array(40).fill(0.5), shape: [4], labels: Int32Array.from({ length: 10 }, (_, i) => i % 3), classes: 3 })',
  )
  await writeFile(
    join(folder, 'huge.mjs'),
    'export const dataset = () => ({ xs: new Float32Array(40).fill(3e38), shape: [4], labels: Int32Array.from({ length: 10 }, (_, i) => i % 3), classes: 3 })',
  )
  const task = (id: string, recruitingMs: number) => ({
    id,
    model: { topology: 'tiny.json' },
    rounds: 2,
    cohort: { minimum: 3, target: 3 },
    deadlines: { recruitingMs },
  })
  const tasks = [task('tiny', 120_000), task('sick', 120_000), task('alone', 1000)]
  await writeFile(join(folder, 'server.yaml'), JSON.stringify({ data: 'server', tasks }))
  server = await serveProcess('--config', join(folder, 'server.yaml'))
})
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  await rm(folder, { recursive: true, force: true })
})

const client = (task: string, name: string, ...more: string[]) =>
  fedweave(
    'client',
    server.url,
    '--task',
    task,
    '--dataset',
    join(folder, 'data.mjs'),
    '--store',
    join(folder, name),
    '--json',
    ...more,
  )

test('three clients of the command line finish a task; keys lie in 0600 files under 0700 folders', async () => {
  const runs = await Promise.all(['a', 'b', 'c'].map((name) => client('tiny', name, '--shard', '1/2')))
  expect(runs.map(({ code, json }) => [code, json.rounds])).toEqual(Array(3).fill([0, 2]))
  expect(runs[0]?.stderr).toContain('in the clear')
  expect(runs[0]?.stderr).toContain('honest-but-curious server only')
  const late = await client('tiny', 'd')
  expect([late.code, late.json.rounds]).toEqual([0, 0])
  for (const name of ['a', 'server']) {
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o700)
    const keys = (await readdir(join(folder, name))).filter((file) => file.endsWith('.key'))
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect((await stat(join(folder, name, key))).mode & 0o777).toBe(0o600)
  }
})

describe('each failure is one sentence with a code and a cure, and exits with 1', () => {
  const failures: Record<string, { code: string; message: RegExp; run: () => ReturnType<typeof fedweave> }> = {
    'unknown task': { code: 'FL_TASK_UNKNOWN', message: /^this server has no task "nope"$/, run: () => client('nope', 'e') },
    'server unreachable': {
      code: 'FL_SERVER_UNREACHABLE',
      message: /^cannot reach http:\/\/127\.0\.0\.1:1$/,
      run: () =>
        fedweave(
          'client',
          'http://127.0.0.1:1',
          '--task',
          'tiny',
          '--dataset',
          join(folder, 'data.mjs'),
          '--store',
          join(folder, 'f'),
          '--json',
        ),
    },
    'data set of the wrong shape': {
      code: 'FL_DATASET_SHAPE',
      message: /expected .*\[4\].*got .*\[28, 28, 1\]|expected .*\[28, 28, 1\]|\[4\]/,
      run: () => client('tiny', 'g', '--dataset', 'mnist', '--shard', '1/1000'),
    },
    'too few clients before the deadline': {
      code: 'FL_TOO_FEW_CLIENTS',
      message: /^1 of the 3 clients that task alone needs came before the deadline$/,
      run: () => client('alone', 'h'),
    },
    'wrong enrolment pin': {
      code: 'FL_PIN_MISMATCH',
      message: /not the pinned 0{64}$/,
      run: () => client('alone', 'i', '--enrolment-key', '0'.repeat(64)),
    },
    'missing config': {
      code: 'FL_CONFIG_INVALID',
      message: /^cannot read the config .*nowhere\.yaml/,
      run: () => fedweave('serve', '--config', join(folder, 'nowhere.yaml'), '--json'),
    },
  }
  for (const [name, { code, message, run }] of Object.entries(failures)) {
    test(name, async () => {
      const result = await run()
      expect(result.json.error?.code).toBe(code)
      expect(result.json.error?.message).toMatch(message)
      expect(result.json.error?.cure.length).toBeGreaterThan(20)
      expect(result.code).toBe(1)
    })
  }

  test('wrong protocol version', async () => {
    const http = createServer()
    const foreign = new Server(http)
    const zeros = new Uint8Array(32)
    foreign.on('connection', (socket) => {
      const challenge = {
        versions: ['fedweave/v9'],
        nonce: zeros,
        coordinatorKey: zeros,
        operatorKey: zeros,
        signature: new Uint8Array(64),
      }
      socket.emit('fw', encodeServerMessage({ type: 'challenge', ...challenge }))
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    // The identity of an earlier test is enrolled already, so that the first thing it hears is the challenge.
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    await client('tiny', 'v')
    const result = await fedweave(
      'client',
      url,
      '--task',
      'tiny',
      '--dataset',
      join(folder, 'data.mjs'),
      '--store',
      join(folder, 'v'),
      '--json',
    )
    await foreign.close()
    expect(result.json.error).toMatchObject({
      code: 'FL_PROTOCOL_VERSION',
      message: 'no common protocol version: here fedweave/v1; there fedweave/v9',
    })
    expect(result.code).toBe(1)
  })

  test('NaN in the delta', async () => {
    const runs = await Promise.all(['s1', 's2', 's3'].map((name) => client('sick', name, '--dataset', join(folder, 'huge.mjs'))))
    for (const { code, json } of runs) {
      expect(json.error?.code).toBe('FL_NON_FINITE')
      expect(code).toBe(1)
    }
  })
})

describe('what the command line does not know exits with 2', () => {
  const wrong = [
    ['nonsense'],
    ['serve', '--nonsense'],
    ['serve', '--port', 'x'],
    ['serve', '--log', 'loud'],
    ['client', 'http://127.0.0.1:1', '--task', 't', '--dataset', 'mnist', '--shard', '4/3'],
    ['client', 'localhost', '--task', 't', '--dataset', 'mnist', '--shard', '1/1000'],
    ['bench', 'nonsense'],
    ['bench', 'secagg', '--clients', '2'],
    ['bench', 'secagg', '--nonsense'],
    ['demo', '--rounds', '0'],
  ]
  for (const args of wrong) {
    test(args.join(' '), async () => {
      const { code, json } = await fedweave(...args, '--json')
      expect(code).toBe(2)
      expect(json.error?.code).toBe('FL_USAGE')
    })
  }
})
