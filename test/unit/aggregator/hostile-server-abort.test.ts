import {
  type ClientInput,
  type ClientState,
  clientAccepts,
  mac,
  pairKey,
  type ServerMessage,
  sharedKey,
  stepClient,
} from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { abortsOf, at, cohortOf, type FromClient, intercept, memoCurves, onesAt, rewrite, sentBy, sumOf } from './cohort.ts'

type Aborts = Extract<ServerMessage, { type: 'aborts' }>

/** The server says that it crashed, once every client has sent such a message. */
function claimCrashAfter(harness: RoundHarness, type: FromClient['type']): void {
  let sent = 0
  intercept(harness, (envelope) => {
    if (envelope.to !== 'server' || envelope.message.type !== type || ++sent > harness.clients.length) return undefined
    if (sent === harness.clients.length) harness.toServer({ type: 'fail', code: 'FL_SERVER_FAULT', message: 'crashed' })
    return []
  })
}

/** Lets only some of what a crashed round's clients state about it through to the victim. */
function filterStatements(
  harness: RoundHarness,
  victim: HarnessClient,
  change: (aborts: Aborts, nth: number) => readonly Aborts[],
): void {
  let nth = 0
  rewrite(harness, 'aborts', (aborts) => change(aborts, nth++), [victim])
}

const reopened = (client: HarnessClient) => client.effects.some(({ type }) => type === 'reopen')
const uploads = (client: HarnessClient) => sentBy(client).filter((type) => type === 'upload').length

describe('a server that claims a crash gets no second sum over the same base', () => {
  test('with the statements of the threshold the same delta goes into a new round', () => {
    const harness = cohortOf(5)
    claimCrashAfter(harness, 'confirm')
    expect(harness.runRound().phase).toBe('aborted')
    expect(harness.clients.every(reopened)).toBe(true)
    expect(harness.runRound().phase).toBe('completed')
    expect(sumOf(harness)).toEqual(onesAt(harness, [0, 1, 2, 3, 4]))
  })

  test('one statement less than the threshold leaves the base spent, and the last one reopens it once', () => {
    const harness = cohortOf(5) // threshold 4: its own statement and three others
    const victim = at(harness, 0)
    const held: Aborts[] = []
    filterStatements(harness, victim, (aborts, nth) => {
      if (nth < 2) return [aborts]
      held.push(aborts)
      return []
    })
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect(reopened(victim)).toBe(false)
    expect(victim.spent.size).toBe(1)
    for (const aborts of held) harness.toClient(victim, aborts)
    expect(held).toHaveLength(2)
    expect(victim.effects.filter(({ type }) => type === 'reopen')).toHaveLength(1)
    expect(victim.spent.size).toBe(0)
  })

  test('a client that missed the certificate stays out of the new round, and its update is in neither sum', () => {
    const harness = cohortOf(6)
    const victim = at(harness, 0)
    filterStatements(harness, victim, (aborts, nth) => (nth < 2 ? [aborts] : []))
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect(harness.runRound().phase).toBe('completed')
    expect(sumOf(harness)).toEqual(onesAt(harness, [1, 2, 3, 4, 5]))
    expect(uploads(victim)).toBe(1)
  })

  const forgeries: readonly (readonly [string, (harness: RoundHarness, aborts: Aborts, victim: HarnessClient) => Aborts])[] = [
    ['made up', (_harness, aborts) => ({ ...aborts, macs: aborts.macs.map(({ peer }) => ({ peer, mac: new Uint8Array(16) })) })],
    [
      "the client's own, sent back",
      (_harness, aborts, victim) => {
        const own = victim.effects.find((effect) => effect.type === 'send' && effect.message.type === 'aborted')
        const macs = own?.type === 'send' && own.message.type === 'aborted' ? own.message.macs : expect.unreachable()
        return { ...aborts, macs }
      },
    ],
    [
      'those of one holder, again and again',
      (harness, aborts, victim) => {
        const from = at(harness, 1)
        const shared = sharedKey(memoCurves, from.env.channelSecret, victim.entry.channelKey) as Uint8Array
        const tag = mac(
          pairKey(shared, aborts.context, 'abort', from.id, victim.id),
          aborts.context,
          'aborted, nothing released, shares deleted',
        )
        return { ...aborts, macs: Array.from({ length: 5 }, () => ({ peer: from.id, mac: tag })) }
      },
    ],
    [
      'those of holders outside the roster',
      (_harness, aborts) => ({
        ...aborts,
        macs: aborts.macs.map(({ mac }, i) => ({ peer: `${i}`.repeat(32).slice(0, 32) as HarnessClient['id'], mac })),
      }),
    ],
    ['those of another round', (_harness, aborts) => ({ ...aborts, context: new Uint8Array(32) })],
    [
      'their confirmations',
      (harness, aborts, victim) => ({
        ...aborts,
        macs: aborts.macs.map(({ peer }) => {
          const sent = harness.client(peer).effects.find((effect) => effect.type === 'send' && effect.message.type === 'confirm')
          const macs = sent?.type === 'send' && sent.message.type === 'confirm' ? sent.message.macs : expect.unreachable()
          return { peer, mac: macs.find(({ peer: to }) => to === victim.id)?.mac as Uint8Array }
        }),
      }),
    ],
  ]
  test.each(forgeries)('statements that are %s are no certificate', (_, forged) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    filterStatements(harness, victim, (aborts) => [forged(harness, aborts, victim)])
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect(reopened(victim)).toBe(false)
    expect(victim.spent.size).toBe(1)
  })

  test('statements about an earlier round do not reopen the base for a later one', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    const old: Aborts[] = []
    filterStatements(harness, victim, (aborts, nth) => {
      if (nth >= 4) return old
      old.push(aborts)
      return [aborts]
    })
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect(victim.spent.size).toBe(0)
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect(victim.spent.size).toBe(1)
    expect(uploads(victim)).toBe(2)
  })

  test('an abort before the upload is free', () => {
    const harness = cohortOf(5)
    claimCrashAfter(harness, 'ack')
    harness.runRound()
    for (const client of harness.clients) {
      expect(abortsOf(client)).toMatchObject([{ uploaded: false }])
      expect(client.spent.size).toBe(0)
    }
    expect(harness.runRound().phase).toBe('completed')
  })
})

describe('a server that says other things, or nothing', () => {
  const silences: readonly (readonly [ServerMessage['type'], ClientState['phase'], boolean])[] = [
    ['start', 'recruiting', false],
    ['relay', 'setup', false],
    ['acks', 'setup', false],
    ['survivors', 'collecting', true],
    ['confirms', 'confirming', true],
    ['result', 'unmasking', true],
  ]
  test.each(silences)('without "%s" a client leaves the %s phase by itself', (type, phase, uploaded) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    intercept(harness, ({ to, client, message }) =>
      to === 'client' && client === victim.id && (message.type === type || message.type === 'abort') ? [] : undefined,
    )
    harness.runRound()
    expect(abortsOf(victim)).toEqual([
      {
        type: 'aborted',
        code: 'FL_ROUND_ABORTED',
        message: `the server was silent past the deadline of the ${phase} phase`,
        uploaded,
      },
    ])
    expect(victim.state.phase).toBe('aborted')
  })

  test('an abort of another round is not taken; one with an unknown code is', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    const abort = { type: 'abort', round: 1, code: 'FL_NO_SUCH_CODE', message: 'so it says' } as const
    rewrite(harness, 'relay', (relay) => [{ ...abort, round: 7 }, relay, abort], [victim])
    harness.runRound()
    expect(abortsOf(victim)).toEqual([{ type: 'aborted', code: 'FL_ROUND_ABORTED', message: 'so it says', uploaded: false }])
    expect(sentBy(victim)).toEqual(['ready', 'setup', 'ack', 'aborted'])
  })

  test('whatever a phase does not take changes nothing', () => {
    const inputs = new Map<ClientInput['type'], ClientInput>([
      ['trained', { type: 'trained' }],
      ['fail', { type: 'fail', code: 'FL_STOPPED', message: 'stop' }],
      ['tick', { type: 'tick' }],
    ])
    const states = new Map<ClientState['phase'], ClientState>()
    const harness = cohortOf(5)
    const watched = at(harness, 0)
    const step = harness.toClient.bind(harness)
    harness.toClient = (client, input) => {
      if (client === watched) {
        states.set(client.state.phase, client.state)
        inputs.set(input.type, input)
      }
      step(client, input)
      if (client === watched) states.set(client.state.phase, client.state)
    }
    harness.runRound()
    claimCrashAfter(harness, 'confirm')
    harness.runRound()
    expect([...states.keys()].sort()).toEqual(Object.keys(clientAccepts).sort())
    expect(inputs.size).toBe(12)
    let refused = 0
    for (const [phase, state] of states) {
      for (const [type, input] of inputs) {
        if ((clientAccepts[phase] as readonly string[]).includes(type)) continue
        expect(stepClient(watched.env, state, input, Number.MAX_SAFE_INTEGER)).toEqual({ state, effects: [] })
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(30)
  })

  test('an update leaves once, however often training ends', () => {
    const harness = cohortOf(5)
    const step = harness.toClient.bind(harness)
    harness.toClient = (client, input) => {
      step(client, input)
      if (input.type === 'acks') for (let i = 0; i < 3; i++) step(client, { type: 'trained' })
    }
    expect(harness.runRound().phase).toBe('completed')
    for (const client of harness.clients) expect(uploads(client)).toBe(1)
  })
})
