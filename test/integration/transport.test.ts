import { FederatedClient } from '@fedweave/client'
import { memoryTransport, socketTransport } from '@fedweave/client/simulation'
import { inProcessServer, memoryStore } from '@fedweave/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transportContract } from '../../client-sdk/src/transport/transport-contract.ts'
import {
  enrolmentKey,
  joinTokenOf,
  operatorSeed,
  type RunningServer,
  scriptedTrainer,
  startServer,
  TINY_DATA,
  tinyClient,
  tinyTask,
} from './support.ts'

const options = { tasks: [tinyTask()], operatorSeed, enrolment: { key: enrolmentKey }, openStore: async () => memoryStore() }
let remote: RunningServer
let local: Awaited<ReturnType<typeof inProcessServer>>
beforeAll(async () => {
  remote = await startServer(tinyTask())
  local = await inProcessServer(options)
})
afterAll(async () => {
  await Promise.all([remote.app.close(), local.close()])
})

const transports = { 'over sockets': () => socketTransport(remote.url), 'in memory': () => memoryTransport(local) }
for (const [kind, connect] of Object.entries(transports)) {
  describe(kind, () => {
    for (const { name, run } of transportContract(connect, 'tiny', () => joinTokenOf('contract'))) test(name, run)
  })
}

test('a server that is not there is one typed error', async () => {
  const { url, app } = await startServer(tinyTask())
  await app.close()
  const client = await tinyClient(
    url,
    'nobody',
    scriptedTrainer({ delta: new Float32Array(15), examples: 1, loss: 0, accuracy: 0 }),
  )
  await expect(client.run()).rejects.toMatchObject({
    code: 'FL_SERVER_UNREACHABLE',
    message: `cannot reach a Fedweave server at ${url}/`,
  })
})

test('a URL that is none is refused when the client is made', () => {
  expect(() => new FederatedClient({ url: 'localhost', task: 'tiny', dataset: TINY_DATA })).toThrow(
    /http or https URL, got "localhost"/,
  )
})

test('a whole round runs in memory, with the same entropy seed to the same bytes', async () => {
  const models = []
  for (const _ of [1, 2]) {
    const server = await inProcessServer({
      ...options,
      tasks: [tinyTask({ cohort: { minimum: 3, target: 3, overSelection: 1 } })],
    })
    const runs = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const { trainer } = scriptedTrainer({
          delta: new Float32Array(15).fill(0.1 * (i + 1)),
          examples: 1,
          loss: 1,
          accuracy: 0.5,
        })
        return (await tinyClient('', `memory-${i}`, { trainer, server })).run()
      }),
    )
    models.push(...runs.map(({ modelHash }) => modelHash))
    await server.close()
  }
  expect(new Set(models).size).toBe(1)
})
