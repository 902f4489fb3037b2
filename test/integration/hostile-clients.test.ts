import { decodeServerMessage, encodeClientMessage, type ServerMessage } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { socketTransport, type Transport } from '@fedweave/client/simulation'
import { memoryStore } from '@fedweave/server'
import { afterEach, expect, test } from 'vitest'
import { closed, connected, sendMessage } from './raw-socket.ts'
import { deltaOf, type RunningServer, scriptedTrainer, startServer, tinyClient, tinyTask, weightsOf } from './support.ts'

const servers: RunningServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(({ app }) => app.close()))
})

async function started(...args: Parameters<typeof startServer>): Promise<RunningServer> {
  const server = await startServer(...args)
  servers.push(server)
  return server
}

const three = { cohort: { minimum: 3, target: 3, overSelection: 1 } }
const plain = (i: number) => scriptedTrainer({ delta: deltaOf(i), examples: 1, loss: 1, accuracy: 0 }).trainer

/** A transport that does what it should, and on top of it what the test says. */
function altered(url: string, alter: (inner: Transport) => Partial<Transport>): () => Transport {
  return () => {
    const inner = socketTransport(url)
    return { ...inner, ...alter(inner) }
  }
}

/** Three clients, the first of them over `transport`; how many rounds each counted in. */
async function rounds({ url }: RunningServer, transport: (() => Transport) | undefined): Promise<number[]> {
  const runs = [0, 1, 2].map(async (i) => {
    const over = i === 0 && transport !== undefined ? { server: transport } : {}
    return (await tinyClient(url, `client-${i}`, { trainer: plain(i), ...over })).run()
  })
  return (await Promise.all(runs)).map((run) => run.rounds)
}

function mean(indices: readonly number[]): Float32Array {
  const deltas = indices.map((i) => deltaOf(i))
  return (deltas[0] as Float32Array).map((_, p) => deltas.reduce((sum, delta) => sum + (delta[p] as number), 0) / deltas.length)
}

test('three concurrent copies of one upload count once, and all get the same receipt', async () => {
  const server = await started(tinyTask(three))
  const outcomes: string[] = []
  const transport = altered(server.url, (inner) => ({
    async upload(upload, signal) {
      const copies = [1, 2, 3].map(() => inner.upload(upload, signal).then(() => 'counted'))
      outcomes.push(...(await Promise.all(copies)))
    },
  }))
  expect(await rounds(server, transport)).toEqual([1, 1, 1])
  expect(outcomes).toEqual(['counted', 'counted', 'counted'])
  const { head } = server.app.hub.task('tiny').history
  expect(head.weight).toBe(3)
  const [before, after] = [weightsOf(server.disk, head.modelBefore), weightsOf(server.disk, head.modelAfter)]
  for (const [p, expected] of mean([0, 1, 2]).entries())
    expect(Math.abs((after[p] as number) - (before[p] as number) - expected)).toBeLessThan(1e-3)
})

test('the signatures of a hello prove nothing on another connection', async () => {
  const server = await started(tinyTask(three))
  let hello: Uint8Array | undefined
  const transport = altered(server.url, (inner) => ({
    send(raw) {
      hello ??= raw.slice()
      inner.send(raw)
    },
  }))
  expect(await rounds(server, transport)).toEqual([1, 1, 1])
  const socket = await connected(server.url, { name: 'mallory' })
  const answers: ServerMessage[] = []
  socket.on('message', (data: Buffer, binary) => {
    if (binary) answers.push(decodeServerMessage(new Uint8Array(data)))
  })
  sendMessage(socket, hello as Uint8Array)
  await closed(socket)
  const refusals = answers.filter(({ type }) => type === 'refusal')
  expect(refusals).toEqual([expect.objectContaining({ code: 'FL_IDENTITY_PROOF', fatal: 1 })])
  expect(server.app.hub.task('tiny').status.clients.connected).toBe(0)
})

test('10,000 random and altered frames of a joined client change nothing, and its round commits', async () => {
  const server = await started(tinyTask(three), { limits: { messagesPerSecond: 100_000 } })
  const random = seededEntropy('frames')
  let sent = 0
  const transport = altered(server.url, (inner) => {
    let joined = false
    return {
      send(raw) {
        if (joined) {
          for (let i = 0; i < 2500; i++) {
            const noise = i % 2 ? random.bytes(1 + (random.bytes(1)[0] as number)) : raw.slice()
            const at = new DataView(random.bytes(4).buffer).getUint32(0) % noise.length
            noise[at] = (noise[at] as number) ^ (1 + ((random.bytes(1)[0] as number) % 255))
            // A flipped bit may leave a message that is valid and means something else; the tag's do not.
            noise[0] = (noise[0] as number) | 0x80
            inner.send(noise)
            sent += 1
          }
        }
        joined = true
        inner.send(raw)
      },
    }
  })
  expect(await rounds(server, transport)).toEqual([1, 1, 1])
  expect(sent).toBeGreaterThanOrEqual(10_000)
  expect(server.app.hub.task('tiny').history.head.cohorts[0]?.survivors.length).toBe(3)
})

test('a fault of ours while a message or a farewell is handled costs that client its connection, not the process its life', async () => {
  const server = await started(tinyTask(three))
  const task = server.app.hub.task('tiny')
  const faults: string[] = []
  const [receive, leave] = [task.receive.bind(task), task.leave.bind(task)]
  task.receive = (...args) => {
    if (faults.length > 0) return receive(...args)
    faults.push('receive')
    throw new Error('a bug of ours')
  }
  task.leave = (...args) => {
    leave(...args)
    if (faults.length > 1) return
    faults.push('leave')
    throw new Error('another bug of ours')
  }
  expect(await rounds(server, undefined)).toEqual([1, 1, 1])
  expect(faults).toEqual(['receive', 'leave'])
})

test('a client beyond its rate of messages loses its connection with the reason, and does not start afresh on another', async () => {
  const server = await started(tinyTask(three), { limits: { messagesPerSecond: 1 } })
  const messages: ServerMessage[] = []
  const flood = altered(server.url, (inner) => ({
    open: (handlers, signal, joinToken) =>
      inner.open(
        {
          ...handlers,
          message(raw) {
            messages.push(decodeServerMessage(raw))
            handlers.message(raw)
          },
        },
        signal,
        joinToken,
      ),
    send(raw) {
      inner.send(raw)
      for (let i = 0; i < 20; i++) inner.send(encodeClientMessage({ type: 'available' }))
    },
  }))
  for (const _ of [1, 2]) {
    messages.length = 0
    const client = await tinyClient(server.url, 'flood', { trainer: plain(0), server: flood })
    await expect(client.run()).rejects.toMatchObject({ code: 'FL_RATE_LIMITED' })
    expect(messages.at(-1)).toMatchObject({ type: 'refusal', code: 'FL_RATE_LIMITED', fatal: 1 })
  }
})

test('a client that does not read is cut when what waits for it passes the limit', async () => {
  const server = await started(tinyTask(three), { limits: { backlogBytes: 65_536, messagesPerSecond: 100_000 } })
  let cut = (_reason: string) => undefined as unknown
  const reason = new Promise<string>((resolve) => {
    cut = resolve
  })
  let deaf = false
  const transport = altered(server.url, (inner) => ({
    send(raw) {
      inner.send(raw)
      if (deaf) return
      deaf = true
      for (const socket of server.app.io.sockets.sockets.values()) {
        // As it is while the buffers on the way to the client are full.
        Object.defineProperty(socket.conn.transport, 'writable', { get: () => false, set: () => undefined })
        socket.once('disconnect', cut)
      }
      for (let i = 0; i < 2000; i++) inner.send(encodeClientMessage({ type: 'ready', round: 9, nonce: new Uint8Array(16) }))
    },
  }))
  const stop = new AbortController()
  const running = (await tinyClient(server.url, 'deaf', { trainer: plain(0), server: transport })).run({ signal: stop.signal })
  running.catch(() => undefined)
  expect(await reason).toBe('forced close')
  stop.abort()
  await running.catch(() => undefined)
})

test('a round whose clients go silent ends by its deadline, and the next one commits', async () => {
  const deadlines = { recruitingMs: 300, setupMs: 300, collectingMs: 5000, confirmingMs: 5000, unmaskingMs: 5000 }
  const server = await started(tinyTask({ ...three, deadlines }))
  const { events } = server.app.hub.task('tiny')
  const ended = new Promise<unknown>((resolve) => events.on('event', (event) => event.type === 'aborted' && resolve(event)))
  const stop = new AbortController()
  const silent = [0, 1, 2].map(async (i) => {
    let said = 0
    const transport = altered(server.url, (inner) => ({ send: (raw) => void (said++ < 1 && inner.send(raw)) }))
    return (await tinyClient(server.url, `silent-${i}`, { trainer: plain(i), server: transport })).run({ signal: stop.signal })
  })
  for (const run of silent) run.catch(() => undefined)
  expect(await ended).toMatchObject({ code: 'FL_TOO_FEW_CLIENTS', round: 1 })
  stop.abort()
  await Promise.allSettled(silent)
  expect(await rounds(server, undefined)).toEqual([1, 1, 1])
})

test('no more rounds are open than the limit allows, and the task that waited gets its turn', async () => {
  const [first, second] = [tinyTask({ ...three, id: 'tiny' }), tinyTask({ ...three, id: 'other' })]
  const server = await started(first, {
    tasks: [first, second],
    openStore: async () => memoryStore(),
    limits: { openRounds: 1 },
  })
  let open = 0
  let most = 0
  let finish = () => undefined as unknown
  const training = new Promise((resolve) => {
    finish = () => resolve(undefined)
  })
  for (const id of ['tiny', 'other'])
    server.app.hub.task(id).events.on('event', ({ type, ...event }) => {
      if (type === 'phase' && 'phase' in event && event.phase === 'recruiting') most = Math.max(most, ++open)
      if (type === 'committed' || type === 'aborted') open -= 1
    })
  const held = { trainer: scriptedTrainer({ delta: deltaOf(1), examples: 1, loss: 1, accuracy: 0 }, () => training).trainer }
  const runs = ['tiny', 'other'].flatMap((task) =>
    [0, 1, 2].map(async (i) => (await tinyClient(server.url, `${task}-${i}`, { task, ...held })).run()),
  )
  const status = (id: string) => server.app.hub.task(id).status
  await expect.poll(() => status('tiny').clients.connected + status('other').clients.connected).toBe(6)
  await expect.poll(() => [status('tiny').state, status('other').state].sort()).toEqual(['running', 'waiting'])
  finish()
  expect((await Promise.all(runs)).map((run) => run.rounds)).toEqual([1, 1, 1, 1, 1, 1])
  expect(most).toBe(1)
})
