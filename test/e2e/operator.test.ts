import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TINY_TOPOLOGY } from '../integration/support.ts'
import { fedweave, type ServeProcess, serveProcess } from './run-cli.ts'

let folder: string
let server: ServeProcess
const at = (name: string) => join(folder, name)
const start = () => serveProcess('--config', at('server.yaml'))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-operator-'))
  await writeFile(at('tiny.json'), TINY_TOPOLOGY)
  await writeFile(
    at('data.mjs'),
    'export const dataset = () => ({ xs: new Float32Array(40).fill(0.5), shape: [4], labels: Int32Array.from({ length: 10 }, (_, i) => i % 3), classes: 3 })',
  )
  const configured = { id: 'configured', model: { topology: 'tiny.json' }, cohort: { minimum: 3, target: 3 } }
  await writeFile(at('server.yaml'), JSON.stringify({ data: 'server', tasks: [configured] }))
  const yaml = 'rounds: 1\ncohort: { minimum: 3, target: 3 }\n'
  await writeFile(at('made.yaml'), `id: made\nmodel: { topology: tiny.json, seed: 3 }\n${yaml}`)
  await writeFile(at('cnn.yaml'), `id: cnn\nmodel: { name: reference-cnn }\n${yaml}`)
  await writeFile(at('wrong.yaml'), `id: wrong\nmodel: { topology: tiny.json }\ncohort: { minimum: 9, target: 3 }\n`)
  server = await start()
})
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  await rm(folder, { recursive: true, force: true })
})

const task = (command: string, ...args: readonly string[]) =>
  fedweave('task', command, ...args, '--url', server.url, '--key-file', at('server/operator-api.key'), '--json')
const list = async () => {
  const { json } = await fedweave('task', 'list', '--url', server.url, '--json')
  return (json.tasks as { id: string; state: string }[]).map(({ id, state }) => `${id} ${state}`)
}
const verify = (source: string, ...more: readonly string[]) => {
  const pins = ['--operator-key', server.operatorKey, '--enrolment-key', server.enrolmentKey]
  return fedweave('verify', source, ...pins, ...more, '--json')
}

test('an operator makes, pauses, resumes, stops and deletes tasks from the command line, also across a restart', async () => {
  const made = await task('create', '--spec', at('made.yaml'))
  expect([made.code, made.json.id, made.json.state]).toEqual([0, 'made', 'waiting'])
  const cnn = await task('create', '--spec', at('cnn.yaml'))
  expect(cnn.json.model).toMatchObject({ parameters: 693_962 })
  expect((await task('pause', 'made', '--come-back', '60')).json).toMatchObject({ state: 'paused', comeBackS: 60 })
  expect((await task('stop', 'cnn')).json.state).toBe('stopped')
  expect(await server.stop()).toBe(0)
  server = await start()
  expect(await list()).toEqual(['configured waiting', 'cnn stopped', 'made paused'])
  expect((await task('delete', 'cnn')).json).toEqual({ id: 'cnn', deleted: true })
  expect((await task('resume', 'made')).json.state).toBe('waiting')
  const shown = await fedweave('task', 'show', 'made', '--url', server.url)
  expect(shown.stdout).toBe('made  waiting  0/1 rounds  0 clients connected  15 parameters\n')
})

test('what the server refuses comes with its code, and a server that is not there with another', async () => {
  const wrong = await task('create', '--spec', at('wrong.yaml'))
  expect([wrong.code, wrong.json.error?.code]).toEqual([1, 'FL_CONFIG_INVALID'])
  expect(wrong.json.error?.message).toBe('cohort.target: 3 is below cohort.minimum 9')
  await writeFile(at('other.key'), 'fwo_not-the-one')
  const other = await fedweave('task', 'stop', 'made', '--url', server.url, '--key-file', at('other.key'), '--json')
  expect([other.code, other.json.error?.code]).toEqual([1, 'FL_OPERATOR_ONLY'])
  const nobody = await fedweave('task', 'list', '--url', 'http://127.0.0.1:1', '--json')
  expect([nobody.code, nobody.json.error?.code]).toEqual([1, 'FL_SERVER_UNREACHABLE'])
  expect((await task('delete', 'made')).json.error?.code).toBe('FL_TASK_STATE')
  expect((await task('pause', 'made', '--come-back', 'soon')).code).toBe(2)
  expect((await fedweave('task', 'stop', 'made', '--url', server.url, '--json')).code).toBe(2)
})

test('the journal of a finished task verifies against the pinned keys, from the server and from a file, and no other does', async () => {
  const client = (name: string) =>
    fedweave('client', server.url, '--task', 'made', '--dataset', at('data.mjs'), '--store', at(name), '--json')
  const runs = await Promise.all(['a', 'b', 'c'].map(client))
  expect(runs.map(({ code, json }) => [code, json.rounds])).toEqual(Array(3).fill([0, 1]))
  const report = { rounds: 1, transcripts: 3, problems: [] }
  const verified = await verify(server.url, '--task', 'made')
  expect([verified.code, verified.json]).toEqual([0, report])
  const journal = `${server.url}/v1/tasks/made/journal`
  expect((await verify(journal)).json).toEqual(report)
  const text = await (await fetch(journal)).text()
  await writeFile(at('journal.json'), text)
  expect((await verify(at('journal.json'))).json).toEqual(report)

  const whole = { rounds: 1, transcripts: 3, models: 2, replayed: 1, problems: [] }
  expect((await verify(server.url, '--task', 'made', '--models')).json).toEqual(whole)
  expect((await verify(at('server'), '--task', 'made')).json).toEqual(whole) // beside the running server
  await cp(at('server/tasks/made'), at('copy'), { recursive: true })
  expect((await verify(at('copy'))).json).toEqual(whole)
  for (const name of await readdir(at('copy/checkpoints'))) {
    const [file, kept] = [at(`copy/checkpoints/${name}`), await readFile(at(`copy/checkpoints/${name}`))]
    await writeFile(
      file,
      kept.map((byte, i) => (i === kept.length - 1 ? byte ^ 1 : byte)),
    )
    const damaged = await verify(at('copy'))
    expect([damaged.code, damaged.json.problems]).toEqual([1, [expect.stringContaining(`${name} are others`)]])
    await writeFile(file, kept)
  }

  const { config, entries } = JSON.parse(text) as { config: string; entries: string[] }
  const bytes = Buffer.from(entries[1] as string, 'base64')
  bytes[200] = (bytes[200] as number) ^ 1
  await writeFile(at('forged.json'), JSON.stringify({ config, entries: [entries[0], bytes.toString('base64')] }))
  const forged = await verify(at('forged.json'))
  expect([forged.code, (forged.json.problems as string[]).length]).toEqual([1, 1])
  const strange = await fedweave(
    'verify',
    journal,
    '--operator-key',
    '0'.repeat(64),
    '--enrolment-key',
    server.enrolmentKey,
    '--json',
  )
  expect([strange.code, (strange.json.problems as string[]).length]).toEqual([1, 1])
  expect((await verify(server.url)).json.error?.message).toBe('name one of its tasks with --task: configured, made')
  expect((await verify(at('nowhere.json'))).code).toBe(2)
  expect((await fedweave('verify', journal, '--json')).code).toBe(2)
})
