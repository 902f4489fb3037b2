import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FedweaveError } from '../../../aggregator/src/core/errors.ts'
import { Staging } from '../../../server/src/uploads/staging.ts'

const patient = {
  slots: 2,
  slotsPerClient: 100,
  mostBytes: 1e9,
  deadlineMs: 60_000,
  minimumBytesPerSecond: 1_000,
  rateWindowMs: 5_000,
}

/** 300,007 bytes that differ from their neighbours. */
const body = Uint8Array.from({ length: 300_007 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)

function inChunks(bytes: Uint8Array, size: number): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
    })(),
  )
}

/** Takes a whole body as it is. */
const keep = async (update: Uint8Array) => update

/** Lets streams deliver what was written to them. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a whole body', () => {
  test.each([1, 1_000, 65_536, body.length])('comes back byte for byte in chunks of %i', async (size) => {
    const staging = new Staging(patient)
    const counts: number[] = []
    const got = await staging.receive(inChunks(body, size), body.length, keep, { onBytes: (n) => counts.push(n) })
    expect(Buffer.compare(got, body)).toBe(0)
    expect(got.buffer.byteLength).toBe(body.length) // owns its memory: can be transferred
    expect(counts.length).toBe(Math.ceil(body.length / size))
    expect(counts.reduce((a, b) => a + b, 0)).toBe(body.length)
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('of no bytes is a body', async () => {
    expect(await new Staging(patient).receive(Readable.from([]), 0, keep)).toEqual(new Uint8Array(0))
  })
})

describe('a body of the wrong size', () => {
  test('that is short is refused with both numbers', async () => {
    const staging = new Staging(patient)
    await expect(staging.receive(inChunks(body, 1000), body.length + 1, keep)).rejects.toMatchObject({
      code: 'FL_UPDATE_SHAPE',
      message: 'expected 300008 bytes, got 300007',
    })
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('that is long is refused at the first byte too many, and an endless one is destroyed', async () => {
    const staging = new Staging(patient)
    const endless = new Readable({
      read() {
        setImmediate(() => this.push(Buffer.alloc(1000)))
      },
    })
    await expect(staging.receive(endless, 2500, keep)).rejects.toMatchObject({
      code: 'FL_UPDATE_SHAPE',
      message: 'expected 2500 bytes, got 3000 or more',
    })
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
    await once(endless, 'close')
    expect(endless.destroyed).toBe(true)
  })

  test('because the connection closed or failed is refused, and its slot is free', async () => {
    for (const error of [undefined, new Error('ECONNRESET')]) {
      const staging = new Staging(patient)
      const stream = new PassThrough()
      const received = staging.receive(stream, 100, keep)
      stream.write(Buffer.alloc(60))
      await turn()
      stream.destroy(error)
      await expect(received).rejects.toMatchObject({
        code: 'FL_UPDATE_SHAPE',
        message: 'expected 100 bytes, got 60 before the connection closed',
      })
      expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
    }
  })

  test('that closed before anybody read it is refused', async () => {
    const stream = new PassThrough()
    stream.destroy()
    await once(stream, 'close')
    await expect(new Staging(patient).receive(stream, 100, keep)).rejects.toMatchObject({ code: 'FL_UPDATE_SHAPE' })
  })
})

describe('slots', () => {
  test('an upload beyond them is refused at once, and admitted when one is free', async () => {
    const staging = new Staging(patient)
    const streams = [new PassThrough(), new PassThrough()]
    const received = streams.map((stream) => staging.receive(stream, 4, keep))
    expect(staging.taken).toBe(2)
    await expect(staging.receive(inChunks(body, 1000), body.length, keep)).rejects.toMatchObject({ code: 'FL_STAGING_FULL' })
    streams[0]?.end(Buffer.from('done'))
    expect(await received[0]).toEqual(new Uint8Array(Buffer.from('done')))
    expect(Buffer.compare(await staging.receive(inChunks(body, 1000), body.length, keep), body)).toBe(0)
    streams[1]?.end(Buffer.from('also'))
    expect(await received[1]).toEqual(new Uint8Array(Buffer.from('also')))
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('one stays taken until its update is used, whether that works or not', async () => {
    for (const error of [undefined, new Error('broken seal')]) {
      const staging = new Staging({ ...patient, slots: 1 })
      let finish = () => {}
      const received = staging.receive(inChunks(body, 1000), body.length, async () => {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        if (error !== undefined) throw error
        return 'used'
      })
      await vi.waitFor(() => expect(staging.heldBytes).toBe(body.length))
      await expect(staging.receive(inChunks(body, 1000), body.length, keep)).rejects.toMatchObject({ code: 'FL_STAGING_FULL' })
      finish()
      if (error === undefined) expect(await received).toBe('used')
      else await expect(received).rejects.toBe(error)
      expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
    }
  })

  test('fifty at once each get their own bytes', async () => {
    const staging = new Staging({ ...patient, slots: 50 })
    const bodies = Array.from({ length: 50 }, (_, i) => body.map((b) => b ^ i))
    const got = await Promise.all(bodies.map((each, i) => staging.receive(inChunks(each, 997 + i), each.length, keep)))
    for (const [i, each] of got.entries()) expect(Buffer.compare(each, bodies[i] as Uint8Array)).toBe(0)
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('one client has its share of the slots at most, and gets it back', async () => {
    const staging = new Staging({ ...patient, slots: 10, slotsPerClient: 2 })
    const stalled = [1, 2].map(() => new PassThrough())
    const mine = stalled.map((stream) => staging.receive(stream, 1, keep, { client: 'a' }))
    const third = staging.receive(inChunks(body.subarray(0, 1), 1), 1, keep, { client: 'a' })
    await expect(third).rejects.toMatchObject({ code: 'FL_STAGING_FULL', message: 'this client has 2 uploads under way already' })
    await staging.receive(inChunks(body.subarray(0, 1), 1), 1, keep, { client: 'b' })
    for (const stream of stalled) stream.end(Buffer.alloc(1))
    await Promise.all(mine)
    await staging.receive(inChunks(body.subarray(0, 1), 1), 1, keep, { client: 'a' })
  })

  test('uploads that together would take more than the memory for them are refused before a byte is kept', async () => {
    const staging = new Staging({ ...patient, slots: 10, mostBytes: 2 * body.length })
    const stalled = [1, 2].map(() => new PassThrough())
    const first = stalled.map((stream) => staging.receive(stream, body.length, keep))
    await expect(staging.receive(inChunks(body, body.length), body.length, keep)).rejects.toMatchObject({
      code: 'FL_STAGING_FULL',
    })
    for (const stream of stalled) stream.end(body)
    await Promise.all(first)
    await staging.receive(inChunks(body, body.length), body.length, keep)
  })

  test('stalled uploads hold what has arrived, not what was announced', async () => {
    const staging = new Staging({ ...patient, slots: 100 })
    const stop = new AbortController()
    const received = Array.from({ length: 100 }, () => {
      const stream = new PassThrough()
      stream.write(body.subarray(0, 40_000))
      return staging.receive(stream, 2_800_000, keep, { signal: stop.signal })
    })
    await turn()
    expect(staging.heldBytes).toBeGreaterThanOrEqual(100 * 40_000)
    expect(staging.heldBytes).toBeLessThanOrEqual(100 * 80_000)
    stop.abort()
    await Promise.allSettled(received)
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })
})

describe('giving up', () => {
  test('an aborted signal frees the slot and passes a typed reason on', async () => {
    const staging = new Staging(patient)
    const stale = new FedweaveError('FL_ROUND_STALE', 'round 3 is over')
    const cases = [
      { reason: stale, expected: { code: 'FL_ROUND_STALE', message: 'round 3 is over' } },
      { reason: undefined, expected: { code: 'FL_STOPPED' } },
    ]
    for (const { reason, expected } of cases) {
      const stop = new AbortController()
      const received = staging.receive(new PassThrough(), 100, keep, { signal: stop.signal })
      stop.abort(reason)
      await expect(received).rejects.toMatchObject(expected)
      await expect(staging.receive(new PassThrough(), 100, keep, { signal: stop.signal })).rejects.toMatchObject(expected)
      expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
    }
  })
})

describe('pace, on a clock of its own', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  /** Advances the clock; two turns let the check run and the promise settle. */
  async function pass(ms: number): Promise<void> {
    vi.advanceTimersByTime(ms)
    await turn()
    await turn()
  }

  function start(limits = patient) {
    const staging = new Staging(limits)
    const stream = new PassThrough()
    const outcome = vi.fn()
    staging.receive(stream, 1_000_000, keep).then(outcome, outcome)
    return { staging, stream, outcome }
  }

  test('an upload is cut in the first window in which too little came', async () => {
    const { staging, stream, outcome } = start()
    stream.write(Buffer.alloc(5_000)) // 1,000 bytes per second x 5 s: just enough
    await turn()
    await pass(5_000)
    expect(outcome).not.toHaveBeenCalled()
    stream.write(Buffer.alloc(4_999))
    await turn()
    await pass(5_000)
    expect(outcome).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'FL_UPLOAD_TIMEOUT', message: '4999 bytes arrived within 5000 ms, 5000 is the least' }),
    )
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('an upload at a good rate is still cut at its deadline', async () => {
    const { staging, stream, outcome } = start({ ...patient, deadlineMs: 12_000 })
    for (let second = 0; second < 12; second++) {
      expect(outcome).not.toHaveBeenCalled()
      stream.write(Buffer.alloc(2_000))
      await turn()
      await pass(1_000)
    }
    expect(outcome).toHaveBeenCalledWith(
      expect.objectContaining({
        code: 'FL_UPLOAD_TIMEOUT',
        message: '24000 bytes arrived within the 12000 ms that an upload may take',
      }),
    )
    expect(staging).toMatchObject({ taken: 0, heldBytes: 0 })
  })

  test('bytes that waited while the event loop was busy count', async () => {
    const { stream, outcome } = start()
    stream.write(Buffer.alloc(5_000)) // delivered in the next turn, after the timer
    await pass(5_000)
    expect(outcome).not.toHaveBeenCalled()
    stream.destroy()
  })

  test('a cut stream is discarded for two seconds, then destroyed; no timer is left', async () => {
    const { stream } = start()
    await pass(5_000)
    stream.write(Buffer.alloc(100))
    await pass(1_999)
    expect(stream.destroyed).toBe(false)
    await pass(1)
    expect(stream.destroyed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a received upload leaves no timer', async () => {
    const { stream, outcome } = start()
    stream.end(Buffer.alloc(1_000_000))
    await turn()
    await turn()
    expect(outcome).toHaveBeenCalledWith(expect.any(Uint8Array))
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('over HTTP a client in the middle of its upload reads why it was refused', async () => {
  const staging = new Staging({ ...patient, slots: 0 })
  const server = createServer((incoming, response) => {
    staging
      .receive(incoming, 2_800_000, keep)
      .catch((error: FedweaveError) => response.writeHead(error.status, { connection: 'close' }).end(error.code))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = request({
    port: (server.address() as AddressInfo).port,
    method: 'PUT',
    headers: { 'content-length': 2_800_000 },
  })
  client.end(Buffer.alloc(2_800_000))
  const [response] = await once(client, 'response')
  expect(response.statusCode).toBe(503)
  expect(await response.setEncoding('utf8').toArray()).toEqual(['FL_STAGING_FULL'])
  server.close()
})

test('a stream that fails after it was refused does not end the process', async () => {
  const staging = new Staging(patient)
  const stream = new PassThrough()
  const received = staging.receive(stream, 1, keep)
  const outcome = expect(received).rejects.toMatchObject({ code: 'FL_UPDATE_SHAPE' })
  const closed = new Promise((resolve) => stream.once('close', resolve)) // `events.once` would listen for the error
  stream.once('data', () => stream.destroy(new Error('ECONNRESET'))) // in the same turn as the refusal
  stream.write(Buffer.alloc(2))
  await outcome
  await closed
})
