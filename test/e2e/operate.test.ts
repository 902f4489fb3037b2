import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TINY_TOPOLOGY } from '../integration/support.ts'
import { fedweave, type ServeProcess, serveProcess } from './run-cli.ts'

const BIN = fileURLToPath(new URL('../../simulations/bin/fedweave.js', import.meta.url))
let folder: string
const ends: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-operate-'))
  await writeFile(join(folder, 'tiny.json'), TINY_TOPOLOGY)
  await writeFile(
    join(folder, 'data.mjs'),
    'export const dataset = () => ({ xs: new Float32Array(40).fill(0.5), shape: [4], labels: Int32Array.from({ length: 10 }, (_, i) => i % 3), classes: 3 })',
  )
})
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
  await rm(folder, { recursive: true, force: true })
})

async function serverConfig(rounds: number, more: object = {}): Promise<string> {
  const tasks = [{ id: 'tiny', model: { topology: 'tiny.json' }, rounds, cohort: { minimum: 3, target: 3 } }]
  const path = join(folder, 'server.json')
  await writeFile(path, JSON.stringify({ data: 'server', tasks, ...more }))
  return path
}

async function serving(...args: string[]): Promise<ServeProcess> {
  const server = await serveProcess(...args)
  ends.push(async () => server.child.exitCode ?? (await server.stop()))
  return server
}

const client = (url: string, name: string, ...more: string[]) =>
  fedweave(
    ...['client', url, '--task', 'tiny', '--dataset', join(folder, 'data.mjs'), '--store', join(folder, name), '--json'],
    ...more,
  )

interface Journal {
  readonly entries: readonly string[]
}
const journal = async (url: string) => (await (await fetch(`${url}/v1/tasks/tiny/journal`)).json()) as Journal

test('with an enrolment service apart, whoever has a token of the command line takes part, and nobody else', async () => {
  const desk = spawn(
    process.execPath,
    [BIN, 'enrol', 'serve', '--port', '0', '--data', join(folder, 'desk'), '--log', 'error', '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(desk, 'exit')
  ends.push(async () => {
    desk.kill('SIGTERM')
    expect((await ended)[0]).toBe(0)
  })
  const [line] = (await once(createInterface({ input: desk.stdout }), 'line')) as [string]
  const { url: enrolAt, enrolmentKey: key, mode } = JSON.parse(line) as Record<string, string>
  expect(mode).toBe('token')
  const { url } = await serving('--config', await serverConfig(1, { enrolment: { key, url: enrolAt } }))

  const data = ['--data', join(folder, 'desk'), '--json']
  const made = await fedweave('token', 'create', '--uses', '3', '--expires', '1h', '--label', 'ward 7', ...data)
  const { id, token } = made.json as { id: string; token: string }
  const runs = await Promise.all(
    ['a', 'b', 'c'].map((name) => client(url, name, '--token', token, '--enrolment-key', key as string)),
  )
  expect(runs.map(({ code, json }) => [code, json.rounds])).toEqual(Array(3).fill([0, 1]))
  expect((await client(url, 'd', '--token', token)).json.error?.code).toBe('FL_ENROLMENT_REFUSED')

  const listed = await fedweave('token', 'list', ...data)
  expect(listed.json.tokens).toEqual([expect.objectContaining({ id, uses: 3, used: 3, revoked: false, label: 'ward 7' })])
  expect(listed.stdout).not.toContain(token)
  expect((await fedweave('token', 'revoke', id, ...data)).json).toEqual({ id, revoked: true })
  expect((await fedweave('token', 'revoke', '0'.repeat(16), ...data)).json.error?.code).toBe('FL_ENROLMENT_REFUSED')
  expect((await fedweave('token', 'create', '--expires', 'soon', ...data)).code).toBe(2)
})

test('SIGTERM in the middle of training ends with 0, and the server goes on from the last committed round', async () => {
  const rounds = 40
  const config = await serverConfig(rounds)
  const first = await serving('--config', config)
  const runs = ['a', 'b', 'c'].map((name) => client(first.url, name))
  await expect.poll(async () => (await journal(first.url)).entries.length, { timeout: 60_000 }).toBeGreaterThan(3)
  const before = await journal(first.url)
  expect(before.entries.length).toBeLessThan(rounds)
  expect(await first.stop()).toBe(0)

  const second = await serving('--config', config, '--port', new URL(first.url).port)
  expect(second.operatorKey).toBe(first.operatorKey)
  const outcomes = await Promise.all(runs)
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0])
  const after = await journal(second.url)
  expect(after.entries.length).toBe(rounds + 1)
  expect(after.entries.slice(0, before.entries.length)).toEqual(before.entries)
  expect(new Set(outcomes.map(({ json }) => json.modelHash)).size).toBe(1)
})

test('the config that results is printed without secrets, and nothing is served', async () => {
  const config = await serverConfig(7)
  process.env.FEDWEAVE_LIMITS_CLIENTS = '77'
  process.env.FEDWEAVE_PASSPHRASE = 'correct horse'
  process.env.FEDWEAVE_LIMTS_CLIENTS = '1'
  try {
    const shown = await fedweave(
      'serve',
      '--config',
      config,
      '--set',
      'limits.openRounds=3',
      '--port',
      '4711',
      '--print-config',
      '--json',
    )
    expect(shown.code).toBe(0)
    expect(shown.json).toMatchObject({ listen: { port: 4711 }, limits: { clients: 77, openRounds: 3 }, passphrase: '(redacted)' })
    expect(shown.stdout + shown.stderr).not.toContain('correct horse')
    expect(shown.stderr).toContain('FEDWEAVE_LIMTS_CLIENTS names no field')
    expect((await fedweave('serve', '--config', config, '--set', 'limits.clints=3', '--json')).json.error).toMatchObject({
      code: 'FL_CONFIG_INVALID',
      message: 'limits.clints: unknown field',
    })
  } finally {
    for (const name of ['LIMITS_CLIENTS', 'PASSPHRASE', 'LIMTS_CLIENTS']) delete process.env[`FEDWEAVE_${name}`]
  }
})

test.each([
  ['beyond loopback without a proxy it warns of missing TLS', [], true],
  ['behind a named proxy it does not', ['--set', 'trustProxy=["10.0.0.1"]'], false],
] as const)('%s', async (_name, args, warned) => {
  const child = spawn(
    process.execPath,
    [BIN, 'serve', '--config', await serverConfig(1), '--host', '0.0.0.0', '--port', '0', ...args, '--json'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  await once(createInterface({ input: child.stdout }), 'line')
  child.kill('SIGTERM')
  expect(((await once(child, 'exit')) as [number])[0]).toBe(0)
  expect(stderr.includes('without TLS')).toBe(warned)
})
