import { FederatedClient, type RunSummary } from '@fedweave/client/browser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FromSession, ToSession } from '../../../../client-sdk/src/browser/messages.ts'

const SUMMARY: RunSummary = { rounds: 0, modelHash: undefined }
const CONNECTED: FromSession = {
  kind: 'event',
  type: 'connection',
  event: { state: 'connected', client: 'a'.repeat(32) as never },
}
const PHASE: FromSession = { kind: 'event', type: 'phase', event: { round: 1, phase: 'setup' } }
const UPLOADED: FromSession = { kind: 'event', type: 'uploaded', event: { round: 1, bytes: 10 } }
const COMMITTED: FromSession = { kind: 'event', type: 'round', event: { round: 1, outcome: 'committed', modelHash: 'ff' } }
const failed = (code: 'FL_SERVER_UNREACHABLE' | 'FL_TOO_FEW_CLIENTS' | 'FL_STOPPED' | 'FL_TASK_UNKNOWN'): FromSession => ({
  kind: 'failed',
  error: { code, message: code, cure: '' },
})

/** A session's worker that says what the test lets it say. */
class FakeWorker {
  static readonly all: FakeWorker[] = []
  onmessage: ((event: { readonly data: FromSession }) => void) | undefined
  onerror: ((event: { readonly message: string }) => void) | undefined
  readonly heard: ToSession['kind'][] = []
  /** What its order says of the examples. */
  newData: boolean | undefined
  terminated = false

  constructor() {
    FakeWorker.all.push(this)
  }

  postMessage(message: ToSession): void {
    this.heard.push(message.kind)
    if (message.kind === 'start') this.newData = message.order.newData
  }

  say(...messages: readonly FromSession[]): void {
    for (const data of messages) this.onmessage?.({ data })
  }

  terminate(): void {
    this.terminated = true
  }
}

describe('the client of a page', () => {
  let page: EventTarget
  let client: FederatedClient

  beforeEach(() => {
    page = new EventTarget()
    vi.stubGlobal('Worker', FakeWorker)
    vi.stubGlobal('navigator', {})
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    FakeWorker.all.length = 0
    const dataset = { xs: new Float32Array(4), shape: [4], labels: Int32Array.of(0) }
    client = new FederatedClient({ url: 'https://example.org', task: 'tiny', dataset })
  })
  afterEach(() => void vi.unstubAllGlobals())

  /** The worker of session `number`, from 1, once it has its order. */
  const session = (number: number) =>
    vi.waitFor(() => {
      const worker = FakeWorker.all[number - 1]
      if (worker === undefined || !worker.heard.includes('start')) throw new Error(`no session ${number}`)
      return worker
    })

  it('joins again when a server that it lost for long is back, as soon as the page is online', async () => {
    const run = client.run()
    const first = await session(1)
    first.say(CONNECTED, failed('FL_SERVER_UNREACHABLE'))
    await vi.waitFor(() => expect(first.terminated).toBe(true))
    page.dispatchEvent(new Event('online'))
    const second = await session(2)
    second.say(CONNECTED, COMMITTED, { kind: 'done', result: SUMMARY })
    expect(await run).toEqual({ rounds: 1, modelHash: 'ff' })
  })

  it('waits for others where too few have come, and says so', async () => {
    const warnings: (string | undefined)[] = []
    client.on('warning', ({ code }) => warnings.push(code))
    const run = client.run()
    ;(await session(1)).say(CONNECTED, failed('FL_TOO_FEW_CLIENTS'))
    await vi.waitFor(() => expect(warnings).toEqual(['FL_TOO_FEW_CLIENTS']))
    page.dispatchEvent(new Event('online')) // need not wait for its pause
    ;(await session(2)).say({ kind: 'done', result: SUMMARY })
    expect(await run).toEqual(SUMMARY)
  })

  it('says at once that a server cannot be reached that never was', async () => {
    const run = client.run()
    ;(await session(1)).say(failed('FL_SERVER_UNREACHABLE'))
    await expect(run).rejects.toMatchObject({ name: 'FedweaveError', code: 'FL_SERVER_UNREACHABLE' })
  })

  it('lets the round finish that counts on it before it leaves, and counts it', async () => {
    const run = client.run()
    const worker = await session(1)
    worker.say(CONNECTED, UPLOADED)
    client.leave()
    expect(worker.heard).toEqual(['start'])
    worker.say(COMMITTED)
    expect(worker.heard).toEqual(['start', 'stop'])
    worker.say(failed('FL_STOPPED'))
    expect(await run).toEqual({ rounds: 1, modelHash: 'ff' })
  })

  it('starts no session while it is paused', async () => {
    client.pause()
    const run = client.run()
    await new Promise((resolve) => setTimeout(resolve)) // whatever was due
    expect(FakeWorker.all).toEqual([])
    client.resume()
    ;(await session(1)).say({ kind: 'done', result: SUMMARY })
    expect(await run).toEqual(SUMMARY)
  })

  it('tells its worker that the network is gone, which not every browser does', async () => {
    const run = client.run()
    const worker = await session(1)
    page.dispatchEvent(new Event('offline'))
    expect(worker.heard).toEqual(['start', 'offline'])
    worker.say({ kind: 'done', result: SUMMARY })
    await run
    page.dispatchEvent(new Event('offline'))
    expect(worker.heard).toHaveLength(2)
  })

  it('rejects with a typed error, and tells listeners, when its worker dies or the signal stops it', async () => {
    const errors: string[] = []
    client.on('error', ({ code }) => errors.push(code))
    const crashed = client.run()
    ;(await session(1)).onerror?.({ message: 'boom' })
    await expect(crashed).rejects.toMatchObject({ code: 'FL_TRAINER_CRASHED', message: "the client's worker died: boom" })
    const stop = new AbortController()
    const stopped = client.run({ signal: stop.signal })
    const worker = await session(2)
    stop.abort()
    expect(worker.heard).toEqual(['start', 'stop'])
    worker.say(failed('FL_STOPPED'))
    await expect(stopped).rejects.toMatchObject({ code: 'FL_STOPPED' })
    expect(errors).toEqual(['FL_TRAINER_CRASHED', 'FL_STOPPED'])
  })

  it('says that its examples are new from when they changed until a round counted them, and leaves it to the ledger at first', async () => {
    const run = client.run()
    const first = await session(1)
    expect(first.newData).toBeUndefined()
    first.say(CONNECTED, PHASE)
    client.dataChanged()
    first.say(COMMITTED) // of the examples before
    expect(first.heard).toEqual(['start', 'stop'])
    first.say(failed('FL_STOPPED'))
    const second = await session(2)
    expect(second.newData).toBe(true)
    second.say(CONNECTED, PHASE, COMMITTED)
    client.pause()
    second.say(failed('FL_STOPPED'))
    client.resume()
    const third = await session(3)
    expect(third.newData).toBe(false)
    third.say({ kind: 'done', result: SUMMARY })
    await run
  })

  it('runs once at a time', async () => {
    const run = client.run()
    await expect(client.run()).rejects.toMatchObject({ code: 'FL_USAGE' })
    ;(await session(1)).say({ kind: 'done', result: SUMMARY })
    await run
  })
})
