import { verifyJournal } from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import { type Envelope, type HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'

/** Client i's delta is 1 at coordinate i: a correct sum holds only zeros and ones, and a two would be a double count. */
function oneHot(size: number) {
  return (index: number) => ({
    delta: Float32Array.from({ length: size }, (_, i) => (i === index ? 1 : 0)),
    examples: 1,
    loss: 2,
    accuracy: 0.5,
  })
}

/** The sum that the round decoded, coordinate by coordinate. */
function sumOf(harness: RoundHarness): number[] {
  const aggregate = harness.aggregate
  if (aggregate === undefined) throw new Error('the round has no aggregate')
  return [...aggregate.pseudoGradient].map((mean) => Math.round(mean * aggregate.weight))
}

function startOf(clients: number, seed = 'round') {
  return new RoundHarness({ clients, seed, curves: nodeCurves, size: clients, update: oneHot(clients) })
}

/** Kills the client at `index` as soon as its message of that type is under way; the message itself still arrives. */
function killAfter(harness: RoundHarness, index: number, type: Envelope['message']['type']): void {
  const before = harness.network
  const victim = harness.clients[index] as HarnessClient
  harness.network = (envelope) => {
    if (envelope.to === 'server' && envelope.client === victim.id && envelope.message.type === type && victim.alive) {
      victim.alive = false
    }
    return before(envelope)
  }
}

describe('a round of ten clients', () => {
  test('sums one-hot updates to exactly one at every client', () => {
    const harness = startOf(10)
    expect(harness.runRound().phase).toBe('completed')
    expect(sumOf(harness)).toEqual(Array(10).fill(1))
    expect(harness.aggregate?.counters?.loss).toBeCloseTo(2, 6)
    expect(harness.aggregate?.counters?.accuracy).toBeCloseTo(0.5, 6)
  })

  const moments = [
    ['ready', 0],
    ['setup', 0],
    ['ack', 0],
    ['upload', 1],
    ['confirm', 1],
    ['unmask', 1],
  ] as const
  for (const [type, counted] of moments) {
    test(`two clients that vanish after "${type}" are ${counted === 1 ? 'counted' : 'left out'} exactly`, () => {
      const harness = startOf(10, `vanish-${type}`)
      killAfter(harness, 3, type)
      killAfter(harness, 7, type)
      expect(harness.runRound().phase).toBe('completed')
      expect(sumOf(harness)).toEqual(Array.from({ length: 10 }, (_, i) => (i === 3 || i === 7 ? counted : 1)))
    })
  }

  test('aborts below the minimum of survivors, releases nothing, and goes on with the same deltas afterwards', () => {
    const harness = startOf(10)
    for (const index of [1, 4, 8]) killAfter(harness, index, 'ack')
    const state = harness.runRound()
    expect(state).toMatchObject({ phase: 'aborted', code: 'FL_TOO_FEW_SURVIVORS' })
    expect(harness.serverEffects.some(({ type }) => type === 'unmask')).toBe(false)
    // Seven clients had uploaded; certificates of seven holders reach the threshold of 6 and reopen the base.
    for (const client of harness.clients.filter(({ alive }) => alive)) {
      expect(client.effects.map(({ type }) => type)).toContain('reopen')
      expect(client.spent.size).toBe(0)
    }
    expect(harness.runRound().phase).toBe('completed')
    expect(sumOf(harness)).toEqual(Array.from({ length: 10 }, (_, i) => ([1, 4, 8].includes(i) ? 0 : 1)))
  })

  test('three rounds in a row verify from the journal alone', () => {
    const harness = startOf(10)
    for (let i = 0; i < 3; i++) expect(harness.runRound().phase).toBe('completed')
    const pins = { operatorKey: harness.operatorKey, enrolmentKey: harness.enrolmentKey }
    const report = verifyJournal(harness.server.curves, harness.signedConfig, harness.journal, pins)
    expect(report).toEqual({ rounds: 3, transcripts: 30, problems: [] })
  })
})
