import type { ErrorCode, ServerMessage } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import * as testing from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import {
  abortsOf,
  at,
  byId,
  type FromClient,
  forge,
  intercept,
  oneHot,
  onesAt,
  otherUpload,
  rejectsOf,
  sentBy,
  sumOf,
} from '../unit/aggregator/cohort.ts'
import { attack, cohort } from './attack.ts'
import type { Testing } from './without.ts'

const OTHER = new Uint8Array(32).fill(7)
const EVERYBODY = [0, 1, 2, 3, 4, 5]
const PHASES = ['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask'] as const
type Sent = (typeof PHASES)[number]

/** Threshold 4, and one may drop out. One-hot updates: a correct sum holds only zeros and ones. */
const sixClients = (aggregator: Testing) => cohort(aggregator, 6, { update: oneHot(6) })

function expectCommitted(harness: RoundHarness, indices: readonly number[]): void {
  expect(harness.runRound().phase).toBe('completed')
  expect(sumOf(harness)).toEqual(onesAt(harness, indices))
}

/** First in the coordinator's order, so that no phase ends with its message. */
const first = (harness: RoundHarness) => byId(harness)[0] as HarnessClient

/** What the first client sends in a round that nobody disturbs; the same cohort repeats it byte by byte. */
function script(): ReadonlyMap<Sent, FromClient> {
  const harness = sixClients(testing)
  const { id } = first(harness)
  const sent = new Map<Sent, FromClient>()
  intercept(harness, (envelope) => {
    const { type } = envelope.message
    if (envelope.to === 'server' && envelope.client === id) sent.set(type as Sent, envelope.message)
    return undefined
  })
  harness.runRound()
  expect([...sent.keys()]).toEqual(PHASES)
  return sent
}

describe('a message that comes when it must not is refused and changes nothing', () => {
  const [W, D] = ['FL_WRONG_PHASE', 'FL_DUPLICATE'] as const
  /** With the client's message of the first column, what each other message gets, in the order of `PHASES`. */
  const refused: Record<Sent, readonly ErrorCode[]> = {
    ready: [D, W, W, W, W, W],
    setup: [W, D, W, W, W, W],
    ack: [W, D, D, W, W, W],
    upload: [W, D, D, D, W, W],
    confirm: [W, D, D, W, D, W],
    unmask: [W, D, D, W, D, D],
  }
  const cases = PHASES.flatMap((moment) => PHASES.map((type, i) => [type, moment, refused[moment][i]] as const))
  test.each(cases)('"%s" sent with "%s": %s', (type, moment, code) => {
    const harness = sixClients(testing)
    const liar = first(harness)
    const extra = script().get(type) as FromClient
    forge(harness, liar, moment, (message) => [message, extra])
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code }])
  })

  test('after the round everything is refused but a late answer, which nobody needed', () => {
    const harness = sixClients(testing)
    const messages = script()
    const liar = first(harness)
    expectCommitted(harness, EVERYBODY)
    for (const type of PHASES) harness.inject({ to: 'server', client: liar.id, message: messages.get(type) as FromClient })
    harness.settle()
    expect(rejectsOf(harness, liar).map(({ message }) => message)).toEqual(
      PHASES.filter((type) => type !== 'unmask').map(
        (type) => `"${type === 'upload' ? 'uploaded' : type}" does not belong to the completed phase of round 1`,
      ),
    )
    for (const client of harness.clients) if (client !== liar) expect(rejectsOf(harness, client)).toEqual([])
  })

  test('a second update that differs is not added', () => {
    const harness = sixClients(testing)
    const liar = at(harness, 0)
    forge(harness, liar, 'upload', (upload) => [upload, otherUpload(harness, liar, upload.context)])
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_DUPLICATE' }])
  })

  test.each(PHASES)('"%s" of another round is stale', (type) => {
    const harness = sixClients(testing)
    const liar = first(harness)
    forge(harness, liar, type, (message) => {
      if (message.type === 'upload') return [otherUpload(harness, liar, OTHER), message]
      return [message.type === 'ready' ? { ...message, round: 7 } : ({ ...message, context: OTHER } as FromClient), message]
    })
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_ROUND_STALE' }])
  })
})

attack('a client that sends its update twice', {
  off: ['one-update'],
  run: (aggregator) => {
    const harness = sixClients(aggregator)
    const liar = first(harness)
    forge(harness, liar, 'upload', (upload) => [upload, upload])
    expect(harness.runRound().phase).toBe('completed')
    return { sum: sumOf(harness), once: onesAt(harness, EVERYBODY) }
  },
  fails: ({ sum, once }) => expect(sum).toEqual(once),
  succeeds: ({ sum, once }) => expect(sum).not.toEqual(once), // its masks, too, are in the sum twice
})

const SERVER_SAYS = ['invite', 'start', 'relay', 'acks', 'survivors', 'confirms', 'result'] as const

/** With that message of round 2 the victim gets all messages of round 1 again, and all that it has got of round 2. */
function replayAt(aggregator: Testing, moment: ServerMessage['type']) {
  const harness = sixClients(aggregator)
  const victim = first(harness)
  const before: ServerMessage[] = []
  let round = 1
  intercept(harness, (envelope) => {
    if (envelope.to !== 'client' || envelope.client !== victim.id) return undefined
    const { message } = envelope
    before.push(message)
    if (round < 2 || message.type !== moment) return undefined
    return [...before.slice(0, -1), message, ...before].map((again) => ({ ...envelope, message: again }))
  })
  expect(harness.runRound().phase).toBe('completed')
  expect(before.map(({ type }) => type)).toEqual(SERVER_SAYS)
  round = 2
  const { phase } = harness.runRound()
  const sent = sentBy(victim).filter((type) => type !== 'decline') // of the model that round 1 spent
  return { phase, sum: phase === 'completed' ? sumOf(harness) : [], sent, aborts: abortsOf(victim).length }
}

attack("the server's messages of the round before and of this one, all again with each of this one's", {
  off: ['messages-of-this-round'],
  run: (aggregator) => SERVER_SAYS.map((moment) => replayAt(aggregator, moment)),
  fails: (outcomes) => {
    const round = ['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask']
    const sum = [1, 1, 1, 1, 1, 1]
    for (const outcome of outcomes) expect(outcome).toEqual({ phase: 'completed', sum, sent: [...round, ...round], aborts: 0 })
  },
  // A message of another round counts as this one's, and ends it.
  succeeds: (outcomes) => {
    const ended = outcomes.map(({ aborts }) => aborts > 0)
    expect(ended).toEqual([false, true, true, true, true, true, true])
  },
})
