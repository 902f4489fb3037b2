import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseServerConfig } from '../../../server/src/config/parse.ts'
import { printConfig } from '../../../server/src/config/print.ts'
import { loadEnrolmentConfig, loadServerConfig } from '../../../server/src/config/sources.ts'

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedweave-config-'))
  file = join(folder, 'server.yaml')
  await writeFile(
    file,
    `
listen: { port: 1111, host: 10.0.0.1 }
data: ./data
operator: { jwt: { jwks: keys.json, issuer: i, audience: a } }
limits: { clients: 1 }
tasks:
  - { id: t, model: { topology: model.json }, evaluation: { module: ./held-out.mjs } }
  - { id: u, model: { topology: /abs/model.json, initialWeights: w.bin }, evaluation: { module: package/held-out } }
`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

test('the file, then the environment, then the settings win, field by field', async () => {
  const { config, unknownVariables } = await loadServerConfig({
    file,
    environment: {
      FEDWEAVE_LISTEN_PORT: '2222',
      FEDWEAVE_LIMITS_CLIENTS: '2',
      FEDWEAVE_ORIGINS: '["https://a.example"]',
      FEDWEAVE_PASSPHRASE: '12345',
      FEDWEAVE_DATA_DIR: '/elsewhere',
      FEDWEAVE_LIMTS_CLIENTS: '3',
      PATH: '/bin',
    },
    settings: { 'listen.port': 3333 },
  })
  expect(config.listen).toEqual({ host: '10.0.0.1', port: 3333 })
  expect(config.limits.clients).toBe(2)
  expect(config.origins).toEqual(['https://a.example'])
  expect(config.passphrase).toBe('12345')
  expect(unknownVariables).toEqual(['FEDWEAVE_LIMTS_CLIENTS'])
})

test('paths in the file are relative to it, names of packages and URLs are left as they are', async () => {
  const { config } = await loadServerConfig({ file })
  expect(config.data).toBe(join(folder, 'data'))
  expect(config.operator.jwt?.jwks).toBe(join(folder, 'keys.json'))
  expect(config.tasks.map(({ model, evaluation }) => [model, evaluation])).toEqual([
    [{ topology: join(folder, 'model.json') }, { module: join(folder, 'held-out.mjs') }],
    [{ topology: '/abs/model.json', initialWeights: join(folder, 'w.bin') }, { module: 'package/held-out' }],
  ])
})

test('what is printed is a whole config that the server takes, without its secrets', async () => {
  const environment = {
    FEDWEAVE_PASSPHRASE: 'correct horse',
    FEDWEAVE_OPERATOR_JWT_JWKS: 'https://user:pw123@login.example/keys',
  }
  const { config } = await loadServerConfig({ file, environment })
  const printed = printConfig(config)
  for (const secret of ['correct horse', 'pw123']) expect(printed).not.toContain(secret)
  const again = parseServerConfig(parseYaml(printed))
  expect(again).toEqual({
    ...config,
    passphrase: '(redacted)',
    operator: { jwt: { ...config.operator.jwt, jwks: 'https://(redacted)@login.example/keys' } },
  })
})

test.each([
  [{ 'limits.clints': 1 }, 'limits.clints: unknown field'],
  [{ 'limits.clients': 0 }, 'limits.clients: must be >= 1'],
  [{ '__proto__.polluted': 1 }, '__proto__: unknown field'],
  [{ 'enrolment.url': 'https://e.example' }, 'enrolment.url: goes with `enrolment.key`'],
  [{ 'enrolment.key': '0'.repeat(64), 'enrolment.mode': 'token' }, 'enrolment.mode: is a matter of'],
  [{ 'enrolment.mode': 'jwt' }, 'enrolment.jwt: belongs to'],
  [
    { 'enrolment.mode': 'jwt', 'enrolment.jwt': { jwks: 'k', issuer: 'i', audience: 'a' } },
    'operator.jwt.audience: must differ from that of enrolment',
  ],
])('%j is refused by the name of the field', async (settings, message) => {
  await expect(loadServerConfig({ file, settings })).rejects.toThrow(message)
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

test('an enrolment service knows no tasks, and asks for tokens unless told otherwise', async () => {
  expect((await loadEnrolmentConfig({})).config).toMatchObject({
    data: '.fedweave/enrolment',
    enrolment: { mode: 'token', days: 90 },
  })
  await expect(loadEnrolmentConfig({ settings: { tasks: [] } })).rejects.toThrow('tasks: unknown field')
})
