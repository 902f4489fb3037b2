import { decodeServerMessage, encodeClientMessage, type ServerMessage, toHex } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { socketTransport, type Transport } from '@fedweave/client/simulation'
import { afterEach, expect, test } from 'vitest'
import {
  deltaOf,
  entriesOf,
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

const plain = (i: number) => scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 })

/** A client that says everything right, and on top of it whatever a test makes it say. */
function rude(
  url: string,
  sayMore: {
    onSend?(transport: Transport, raw: Uint8Array): void
    onUpload?(transport: Transport, upload: Parameters<Transport['upload']>[0]): Promise<void>
  },
) {
  const refusals: string[] = []
  const transport = (): Transport => {
    const inner = socketTransport(url)
    return {
      ...inner,
      open: (handlers, signal, joinToken) =>
        inner.open(
          {
            ...handlers,
            message(raw) {
              const message: ServerMessage = decodeServerMessage(raw)
              if (message.type === 'refusal') refusals.push(message.code)
              handlers.message(raw)
            },
          },
          signal,
          joinToken,
        ),
      send(raw) {
        inner.send(raw)
        sayMore.onSend?.(inner, raw)
      },
      async upload(upload, signal) {
        await sayMore.onUpload?.(inner, upload)
        await inner.upload(upload, signal)
      },
    }
  }
  return { transport, refusals }
}

async function committed(rudeTransport: () => Transport): Promise<void> {
  if (server === undefined) throw new Error('no server')
  const { url } = server
  const others = [0, 1].map(async (i) => (await tinyClient(url, `polite-${i}`, { trainer: plain(i).trainer })).run())
  const rudest = (await tinyClient(url, 'rude', { trainer: plain(2).trainer, server: rudeTransport })).run()
  expect((await Promise.all([...others, rudest])).map(({ rounds }) => rounds)).toEqual([1, 1, 1])
  expect(entriesOf(server).at(-1)?.cohorts[0]?.survivors.length).toBe(3)
}

const three = { cohort: { minimum: 3, target: 3, overSelection: 1 } }

test('malformed frames, duplicates and stale messages are refused by code, and the round goes on', async () => {
  server = await startServer(tinyTask(three))
  const noise = seededEntropy('noise')
  let joined = false
  const { transport, refusals } = rude(server.url, {
    onSend(inner, raw) {
      if (!joined) {
        joined = true // the first message is hello; noise before it would rightly cost the connection
        return
      }
      inner.send(noise.bytes(1 + (noise.bytes(1)[0] as number)))
      inner.send(raw)
      inner.send(encodeClientMessage({ type: 'ready', round: 999, nonce: noise.bytes(16) }))
      inner.send(encodeClientMessage({ type: 'ack', context: noise.bytes(32), macs: [] }))
    },
  })
  await committed(transport)
  expect(new Set(refusals)).toEqual(new Set(['FL_MESSAGE_MALFORMED', 'FL_DUPLICATE', 'FL_ROUND_STALE', 'FL_WRONG_PHASE']))
})

test('uploads of a wrong size, seal, round or session are refused by code, and the right one still counts', async () => {
  server = await startServer(tinyTask(three))
  const codes: (string | undefined)[] = []
  const never = new AbortController().signal
  const { transport } = rude(server.url, {
    async onUpload(inner, upload) {
      const attempts = [
        { ...upload, sealed: upload.sealed.subarray(1) },
        { ...upload, sealed: upload.sealed.map((byte) => byte ^ 1) },
        { ...upload, context: '0'.repeat(64) },
        { ...upload, session: '0'.repeat(64) },
        { ...upload, task: 'other' },
      ]
      for (const attempt of attempts) {
        codes.push(
          await inner.upload(attempt, never).then(
            () => 'counted',
            (error: { code?: string }) => error.code,
          ),
        )
      }
      codes.push(await inner.upload(upload, never).then(() => 'counted'))
    },
  })
  await committed(transport)
  expect(codes).toEqual([
    'FL_UPDATE_SHAPE',
    'FL_SEAL_BROKEN',
    'FL_ROUND_STALE',
    'FL_SESSION_INVALID',
    'FL_TASK_UNKNOWN',
    'counted',
  ])
})

test('an unknown task, an uncertified identity and a second client with one identity are refused', async () => {
  server = await startServer(tinyTask(three))
  const { url } = server
  await expect((await tinyClient(url, 'a', { task: 'other', trainer: plain(0).trainer })).run()).rejects.toMatchObject({
    code: 'FL_TASK_UNKNOWN',
  })

  const foreign = await startServer(tinyTask(), { enrolment: { seed: seededEntropy('foreign').bytes(32) } })
  await expect((await tinyClient(foreign.url, 'b', { pins: {}, trainer: plain(0).trainer })).run()).rejects.toMatchObject({
    code: 'FL_CERTIFICATE_INVALID',
  })
  await expect((await tinyClient(foreign.url, 'c', { trainer: plain(0).trainer })).run()).rejects.toMatchObject({
    code: expect.stringMatching(/FL_CERTIFICATE_INVALID|FL_PIN_MISMATCH/),
  })
  await foreign.app.close()

  const stop = new AbortController()
  const first = await tinyClient(url, 'twin', { trainer: plain(0).trainer, entropySeed: 'twin-1' })
  const connected = new Promise((resolve) => first.on('connection', resolve))
  const running = first.run({ signal: stop.signal })
  running.catch(() => undefined)
  await connected
  await expect.poll(() => server?.app.hub.task('tiny').status.clients.connected).toBe(1)
  await expect((await tinyClient(url, 'twin', { trainer: plain(0).trainer, entropySeed: 'twin-2' })).run()).rejects.toMatchObject(
    { code: 'FL_SESSION_REPLACED' },
  )
  stop.abort()
  await expect(running).rejects.toMatchObject({ code: 'FL_STOPPED' })
})

test('data of another shape, a foreign operator and a NaN in the delta each stop the client with its code', async () => {
  server = await startServer(tinyTask({ cohort: { minimum: 3, target: 5, overSelection: 1 } }))
  const { url } = server
  const wrong = { xs: new Float32Array(6), shape: [3], labels: Int32Array.of(0, 1) }
  await expect((await tinyClient(url, 'shape', { dataset: wrong })).run()).rejects.toMatchObject({ code: 'FL_DATASET_SHAPE' })
  const labels = { ...TINY_DATA, labels: Int32Array.of(0, 3) }
  await expect((await tinyClient(url, 'label', { dataset: labels })).run()).rejects.toMatchObject({ code: 'FL_DATASET_SHAPE' })
  await expect((await tinyClient(url, 'pin', { pins: { operatorKey: toHex(new Uint8Array(32)) } })).run()).rejects.toMatchObject({
    code: 'FL_PIN_MISMATCH',
  })

  const delta = deltaOf(4)
  delta[7] = Number.NaN
  const sick = (
    await tinyClient(url, 'sick', { trainer: scriptedTrainer({ delta, examples: 1, loss: 1, accuracy: 0 }).trainer })
  ).run()
  const healthy = [0, 1, 2, 3].map(async (i) => (await tinyClient(url, `healthy-${i}`, { trainer: plain(i).trainer })).run())
  await expect(sick).rejects.toMatchObject({ code: 'FL_NON_FINITE', message: 'delta[7] is NaN' })
  expect((await Promise.all(healthy)).map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1])
})

test('too few clients before the deadline is said to those who wait', async () => {
  server = await startServer(
    tinyTask({ deadlines: { recruitingMs: 500, setupMs: 1000, collectingMs: 1000, confirmingMs: 1000, unmaskingMs: 1000 } }),
  )
  const client = await tinyClient(server.url, 'alone', { trainer: plain(0).trainer })
  await expect(client.run()).rejects.toMatchObject({
    code: 'FL_TOO_FEW_CLIENTS',
    message: '1 of the 3 clients that task tiny needs came before the deadline',
  })
})
