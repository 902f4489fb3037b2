import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { seal } from '@fedweave/aggregator'
import { fastestSecretbox } from '@fedweave/aggregator/node'
import { Command } from 'commander'
import { integerOption } from '../src/commands/output.ts'
import { ask, startProcess } from './process.ts'
import { KEY, type Measures, type Ready, type Request, UPLOAD_DEADLINE_MS } from './upload-server.ts'

export const command = new Command('upload')
  .description('staged uploads of a 2.8 MB update to a server in a process of its own, and uploads that stall half-way')
  .option('--uploads <n>', 'uploads to measure with', '300')
  .option('--stalled <n>', 'uploads that stop half-way', '300')
  .option('--concurrency <n>', 'uploads under way at once', '8')

const WARM_UP = 100

/**
 * `cpuMs` is the server's CPU time for one upload, all threads; `open` is with opening the seal and adding to the sum. Updates a
 * second share the machine's cores with the load generator. `stalledMB` is what the server's memory grew by while all
 * stalled uploads were there.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const uploads = integerOption('uploads', options.uploads, 10, 100_000)
  const stalled = integerOption('stalled', options.stalled, 0, 5000)
  const concurrency = integerOption('concurrency', options.concurrency, 1, 16)
  const child = startProcess(new URL(`./upload-server${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
  const tell = async (message: Request) => (await ask<{ done: Measures }>(child, message)).done
  try {
    const ready = await ask<Ready>(child, { type: 'start' })
    const sealed = seal(KEY, new Uint8Array(ready.plainBytes), await fastestSecretbox())
    const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
    const measured: Record<string, { cpuMs: number; perSecond: number }> = {}
    for (const open of [false, true]) {
      await tell({ type: 'mode', open })
      await sendAll(ready, sealed, WARM_UP, concurrency, agent)
      const before = await tell({ type: 'measure' })
      const from = performance.now()
      await sendAll(ready, sealed, uploads, concurrency, agent)
      const seconds = (performance.now() - from) / 1000
      const after = await tell({ type: 'measure' })
      measured[open ? 'open' : 'staged'] = {
        cpuMs: round((after.cpuMs - before.cpuMs) / uploads),
        perSecond: round(uploads / seconds),
      }
    }
    agent.destroy()
    const half = await stall(ready, sealed, stalled, () => tell({ type: 'measure' }))
    return { bytes: ready.sealedBytes, parameters: ready.parameters, uploads, concurrency, ...measured, ...half }
  } finally {
    child.disconnect()
    await once(child, 'exit')
  }
}

async function sendAll(ready: Ready, sealed: Uint8Array, count: number, concurrency: number, agent: Agent): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) await send(ready, sealed, left, agent)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

async function send({ url }: Ready, sealed: Uint8Array, index: number, agent: Agent): Promise<void> {
  const { hostname, port } = new URL(url)
  const put = request({
    ...{ agent, hostname, port, method: 'PUT', path: `/v1/tasks/bench/updates/${'0'.repeat(64)}` },
    headers: {
      authorization: `Bearer ${sessionOf(index)}`,
      'content-type': 'application/octet-stream',
      'content-length': sealed.length,
    },
  })
  put.end(sealed)
  const [response] = await once(put, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 200) throw new Error(`an upload was answered with ${response.statusCode}`)
}

/** All stalled at once: what that holds, and whether every one of them is closed when its time is over. */
async function stall({ url }: Ready, sealed: Uint8Array, count: number, measure: () => Promise<Measures>) {
  const before = await measure()
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  const from = performance.now()
  for (let i = 0; i < count; i++) {
    const socket = connect({ host: hostname, port: Number(port) })
    socket.on('error', () => undefined).resume()
    socket.write(
      `PUT /v1/tasks/bench/updates/${'0'.repeat(64)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${sessionOf(i)}\r\n` +
        `Content-Type: application/octet-stream\r\nContent-Length: ${sealed.length}\r\n\r\n`,
    )
    socket.write(sealed.subarray(0, sealed.length >> 1))
    sockets.push(socket)
  }
  const closed = sockets.map(async (socket) => {
    if (!socket.closed) await once(socket, 'close')
  })
  let most = 0
  let slots = 0
  let open = true
  const all = Promise.all(closed).then(() => {
    open = false
  })
  while (open && performance.now() - from < 3 * UPLOAD_DEADLINE_MS) {
    const now = await measure()
    most = Math.max(most, now.rss - before.rss)
    slots = Math.max(slots, now.slots)
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 100))])
  }
  const left = sockets.filter((socket) => !socket.destroyed).length
  for (const socket of sockets) socket.destroy()
  return {
    stalled: count,
    stalledSlots: slots,
    stalledMB: round(most / 1e6),
    stalledLeft: left,
    deadlineMs: UPLOAD_DEADLINE_MS,
    verified: left === 0,
  }
}

function sessionOf(index: number): string {
  return index.toString(16).padStart(64, '0')
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
