import { type ErrorCode, mac, pairKey, type ServerMessage, sharedKey } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { survivorsDigest } from '../../../aggregator/src/secagg/context.ts'
import { abortsOf, at, cohortOf, forge, intercept, memoCurves, rewrite, sentBy } from './cohort.ts'

type Survivors = Extract<ServerMessage, { type: 'survivors' }>
type Confirms = Extract<ServerMessage, { type: 'confirms' }>

/** Runs a round in which the victim, whose update is out, must not give one share away. */
function expectNothingReleased(harness: RoundHarness, victim: HarnessClient, code: ErrorCode, message: string | RegExp): void {
  harness.runRound()
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  expect(abortsOf(victim)).toEqual([{ type: 'aborted', code, message: text, uploaded: true }])
  expect(sentBy(victim)).toContain('upload')
  expect(sentBy(victim)).not.toContain('unmask')
}

describe('a list of survivors that breaks a rule is not confirmed', () => {
  const lists: readonly (readonly [
    string,
    (list: Survivors['survivors'], me: HarnessClient) => Survivors['survivors'],
    ErrorCode,
    string,
  ])[] = [
    ['it is not sorted', (list) => [...list].reverse(), 'FL_PROTOCOL_VIOLATION', 'U2 is not a sorted part of the active clients'],
    [
      'it names a client twice',
      (list) => [...list, ...list.slice(-1)],
      'FL_PROTOCOL_VIOLATION',
      'U2 is not a sorted part of the active clients',
    ],
    [
      'it names a client that is not active',
      (list) => ['0'.repeat(32) as HarnessClient['id'], ...list],
      'FL_PROTOCOL_VIOLATION',
      'U2 is not a sorted part of the active clients',
    ],
    [
      'it is smaller than the config allows',
      (list, me) => list.filter((id, i) => id === me.id || i === list.length - 1 || i === 0).slice(0, 3),
      'FL_PROTOCOL_VIOLATION',
      'U2 holds 3 clients, where at least 4 are needed',
    ],
    [
      'it leaves this client out',
      (list, me) => list.filter((id) => id !== me.id),
      'FL_ROUND_STALE',
      'the round closed before the update of this client arrived',
    ],
  ]
  test.each(lists)('%s', (_, change, code, message) => {
    const harness = cohortOf(5)
    const victim = middleOf(harness)
    rewrite(harness, 'survivors', (sent) => ({ ...sent, survivors: change(sent.survivors, victim) }), [victim])
    expectNothingReleased(harness, victim, code, message)
    expect(sentBy(victim)).not.toContain('confirm')
  })

  test('it counts a client of U1 that is not active', () => {
    const harness = cohortOf(6) // at least 5 survivors
    const [victim, silent] = [at(harness, 0), at(harness, 5)]
    forge(harness, silent, 'ack', () => [])
    const withSilent = (list: Survivors['survivors']) => [...list, silent.id].sort()
    rewrite(harness, 'survivors', (sent) => ({ ...sent, survivors: withSilent(sent.survivors) }), [victim])
    expectNothingReleased(harness, victim, 'FL_PROTOCOL_VIOLATION', 'U2 is not a sorted part of the active clients')
  })

  test('it counts an update that this client has not sent', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'acks', (acks) => [acks, { type: 'survivors', context: acks.context, survivors: idsOf(harness) }], [victim])
    const train = harness.toClient.bind(harness)
    harness.toClient = (client, input) => {
      if (client !== victim || input.type !== 'trained') train(client, input) // it is still training
    }
    harness.runRound()
    expect(abortsOf(victim)).toEqual([
      {
        type: 'aborted',
        code: 'FL_PROTOCOL_VIOLATION',
        message: 'the server counts an update that this client did not send',
        uploaded: false,
      },
    ])
    expect(sentBy(victim)).toEqual(['ready', 'setup', 'ack', 'aborted'])
  })

  test('it is the second one, and differs', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    const fewer = (list: Survivors['survivors']) => list.filter((id) => id !== at(harness, 4).id)
    rewrite(harness, 'survivors', (sent) => [sent, { ...sent, survivors: fewer(sent.survivors) }], [victim])
    expectNothingReleased(
      harness,
      victim,
      'FL_PROTOCOL_VIOLATION',
      'the server sent two different "survivors" messages in one round',
    )
  })
})

describe('confirmations that do not prove one U2 at the threshold release nothing', () => {
  const tooFew = (count: number) => `${count} share-holders confirmed the survivors, where 4 are needed`

  test('fewer than the threshold came', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'confirms', (sent) => ({ ...sent, macs: sent.macs.slice(0, 2) }), [victim])
    expectNothingReleased(harness, victim, 'FL_TOO_FEW_SHARES', tooFew(3))
  })

  test('threshold confirmations are enough', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'confirms', (sent) => ({ ...sent, macs: sent.macs.slice(0, 3) }), [victim])
    expect(harness.runRound().phase).toBe('completed')
    expect(sentBy(victim)).toContain('unmask')
  })

  const forgeries: readonly (readonly [
    string,
    (harness: RoundHarness, sent: Confirms, me: HarnessClient, peer: HarnessClient) => Uint8Array,
  ])[] = [
    ['meant for another', (harness, _sent, _me, peer) => macOf('confirm', peer, at(harness, peer.index === 1 ? 2 : 1))],
    ['made up', () => new Uint8Array(16)],
    ['acks of the same U1', (_harness, _sent, me, peer) => macOf('ack', peer, me)],
    [
      'over another U2, by the right keys',
      (harness, sent, me, peer) => {
        const facts = me.state.phase === 'confirming' ? me.state : expect.unreachable()
        const digest = survivorsDigest(sent.context, facts.membership.activeDigest, idsOf(harness).slice(1))
        const shared = sharedKey(memoCurves, peer.env.channelSecret, me.entry.channelKey) as Uint8Array
        return mac(pairKey(shared, sent.context, 'confirm', peer.id, me.id), digest)
      },
    ],
  ]
  test.each(forgeries)('they are %s', (_, forged) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    const change = (sent: Confirms): Confirms => ({
      ...sent,
      macs: sent.macs.map(({ peer }) => ({ peer, mac: forged(harness, sent, victim, harness.client(peer)) })),
    })
    rewrite(harness, 'confirms', change, [victim])
    expectNothingReleased(harness, victim, 'FL_TOO_FEW_SHARES', tooFew(1))
  })

  test('they are of the round before', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    let old: Confirms['macs'] | undefined
    rewrite(
      harness,
      'confirms',
      (sent) => {
        const macs = old ?? sent.macs
        old = sent.macs
        return { ...sent, macs }
      },
      [victim],
    )
    expect(harness.runRound().phase).toBe('completed')
    victim.effects.length = 0
    expectNothingReleased(harness, victim, 'FL_TOO_FEW_SHARES', tooFew(1))
  })

  test('a client that left before the survivors were fixed does not count', () => {
    const harness = cohortOf(6) // threshold 4, at least 5 survivors
    const [victim, gone] = [at(harness, 0), at(harness, 5)]
    intercept(harness, ({ to, client, message }) =>
      to === 'server' && client === gone.id && message.type === 'upload' ? [] : undefined,
    )
    rewrite(
      harness,
      'confirms',
      (sent) => {
        const state = victim.state.phase === 'confirming' ? victim.state : expect.unreachable()
        const digest = survivorsDigest(sent.context, state.membership.activeDigest, state.survivors)
        const shared = sharedKey(memoCurves, gone.env.channelSecret, victim.entry.channelKey) as Uint8Array
        const tag = mac(pairKey(shared, sent.context, 'confirm', gone.id, victim.id), digest)
        return { ...sent, macs: [...sent.macs.slice(0, 2), { peer: gone.id, mac: tag }] }
      },
      [victim],
    )
    expectNothingReleased(harness, victim, 'FL_TOO_FEW_SHARES', tooFew(3))
  })

  test('a second set of confirmations gets no second answer', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'confirms', (sent) => [sent, { ...sent, macs: sent.macs.slice(0, 3) }], [victim])
    harness.runRound()
    expect(abortsOf(victim)).toMatchObject([{ message: 'the server sent two different "confirms" messages in one round' }])
    expect(sentBy(victim).filter((type) => type === 'unmask')).toHaveLength(1)
    expect(sentBy(victim)).not.toContain('aborted')
  })
})

function idsOf(harness: RoundHarness): readonly HarnessClient['id'][] {
  return harness.clients.map(({ id }) => id).sort()
}

/** Neither first nor last by id, so that cutting a list at its ends leaves it in. */
function middleOf(harness: RoundHarness): HarnessClient {
  return harness.client(idsOf(harness)[2] as HarnessClient['id'])
}

/** The MAC that `from` last sent to `to`, as the server saw it. */
function macOf(type: 'ack' | 'confirm', from: HarnessClient, to: HarnessClient): Uint8Array {
  const effect = from.effects.findLast((effect) => effect.type === 'send' && effect.message.type === type)
  const macs = effect?.type === 'send' && effect.message.type === type ? effect.message.macs : []
  const found = macs.find(({ peer }) => peer === to.id)
  return found === undefined ? expect.unreachable() : found.mac
}
