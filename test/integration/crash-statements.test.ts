import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import {
  crashed,
  deltaOf,
  enrolledStore,
  type RunningServer,
  scriptedTrainer,
  startServer,
  tinyClient,
  tinyTask,
} from './support.ts'

let server: RunningServer | undefined
let way: Way | undefined
afterEach(async () => {
  way?.server.close()
  way?.cut()
  await server?.app.close()
  server = undefined
})

/** One client's way to the server, which can be cut. */
class Way {
  open = true
  readonly #sockets = new Set<Socket>()
  readonly server = createServer((from) => {
    this.#sockets.add(from)
    if (!this.open) {
      from.destroy()
      return
    }
    const to = connect(this.#port, '127.0.0.1')
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const)
      socket
        .on('error', () => undefined)
        .on('close', () => other.destroy())
        .pipe(other)
  })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  cut(): void {
    this.open = false
    for (const socket of this.#sockets) socket.destroy()
  }
}

test('a client that was away gets its abort certificate although the server that took the statements was killed', async () => {
  const deadlines = { recruitingMs: 500, setupMs: 5000, collectingMs: 60_000, confirmingMs: 5000, unmaskingMs: 5000 }
  const task = tinyTask({ cohort: { minimum: 3, target: 4, overSelection: 1 }, deadlines })
  server = await startServer(task)
  way = new Way(Number(new URL(server.url).port))
  const stop = new AbortController()
  const update = { delta: deltaOf(0), examples: 1, loss: 1, accuracy: 0 }

  const store = await enrolledStore('away')
  const away = await tinyClient(await way.listen(), 'away', { store, trainer: scriptedTrainer(update).trainer })
  const uploaded = new Promise((resolve) => away.on('uploaded', resolve))
  const others = await Promise.all(
    [1, 2, 3].map((i) =>
      tinyClient((server as RunningServer).url, `there-${i}`, {
        trainer: scriptedTrainer(update, () => new Promise(() => undefined)).trainer, // never done
      }),
    ),
  )
  const runs = [away, ...others].map((client) => client.run({ signal: stop.signal }).catch(() => undefined))
  await uploaded
  const spent = async () => (await store.ledger('tiny'))?.spent.length
  expect(await spent()).toBe(1)

  way.cut()
  server = await crashed(server, task) // the others state here that nothing was released, and go on to another round
  const second = server
  await expect.poll(() => second.events.some((event) => event.type === 'phase' && event.phase === 'collecting')).toBe(true)
  expect(await spent()).toBe(1)

  server = await crashed(server, task)
  way.open = true
  await expect.poll(spent).toBe(0)
  stop.abort()
  await Promise.all(runs)
})
