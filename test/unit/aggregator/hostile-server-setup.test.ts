import type { ServerMessage } from '@fedweave/aggregator'
import { type HarnessClient, type RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { boxShares, openShares } from '../../../aggregator/src/secagg/shares.ts'
import type { Member } from '../../../aggregator/src/wire/records.ts'
import { at, cohortOf, dropped, expectNothingUploaded, keyOf, rewrite, sentBy, withKey } from './cohort.ts'

type Relay = Extract<ServerMessage, { type: 'relay' }>

const OTHER = new Uint8Array(32).fill(7)

const sorted = (members: readonly Member[]) => [...members].sort((a, b) => (a.id < b.id ? -1 : 1))

describe('a relay that breaks a rule ends the round before anything is masked', () => {
  const relays: readonly (readonly [string, (relay: Relay, me: HarnessClient, peer: HarnessClient) => Relay, RegExp])[] = [
    ['U1 is not sorted', (relay) => ({ ...relay, members: [...relay.members].reverse() }), /^U1 is not a sorted part/],
    [
      'U1 names a client twice',
      (relay) => ({ ...relay, members: sorted([...relay.members, relay.members[2] as Member]) }),
      /^U1 is not a sorted part/,
    ],
    [
      'U1 names a client that is not in the roster',
      (relay) => ({
        ...relay,
        members: sorted([...relay.members, { id: '0'.repeat(32) as HarnessClient['id'], maskKey: OTHER, holders: [] }]),
      }),
      /^U1 is not a sorted part of the roster$/,
    ],
    [
      'U1 is smaller than the config allows',
      (relay, me) => ({ ...relay, members: relay.members.filter(({ id }, i) => id === me.id || i < 2) }),
      /^U1 holds [23] clients, where at least 4 are needed$/,
    ],
    [
      'U1 leaves this client out',
      (relay, me) => ({ ...relay, members: relay.members.filter(({ id }) => id !== me.id) }),
      /^U1 lacks this client's own mask key$/,
    ],
    [
      'U1 gives this client another mask key',
      (relay, me) => ({ ...relay, members: withKey(relay.members, me, OTHER) }),
      /^U1 lacks this client's own mask key$/,
    ],
    [
      'U1 gives this client other share-holders than it picked',
      (relay, me) => ({ ...relay, members: relay.members.map((m) => (m.id === me.id ? { ...m, holders: [0, 1, 2, 3, 4] } : m)) }),
      /^U1 holds other share-holders than this client picked$/,
    ],
    [
      'U1 gives a client share-holders that it cannot have picked',
      (relay, _me, peer) => ({ ...relay, members: relay.members.map((m) => (m.id === peer.id ? { ...m, holders: [0, 1] } : m)) }),
      /^client [0-9a-f]{32} has a holder set that it cannot have picked$/,
    ],
    [
      'two clients of U1 have one mask key',
      (relay, me, peer) => ({ ...relay, members: withKey(relay.members, peer, keyOf(relay.members, me)) }),
      /^two clients of U1 have one mask key$/,
    ],
    [
      'a box is withheld',
      (relay, _me, peer) => ({ ...relay, shares: dropped(relay.shares, peer) }),
      /^the relay does not hold one box of each client of U1/,
    ],
    [
      'a box is there twice in place of another',
      (relay, _me, peer) => ({ ...relay, shares: [...dropped(relay.shares, peer), ...dropped(relay.shares, peer).slice(0, 1)] }),
      /^the relay does not hold one box of each client of U1/,
    ],
    [
      'a box of a stranger stands in place of another',
      (relay, me, peer) => ({
        ...relay,
        shares: relay.shares.map((share) => (share.peer === peer.id ? { ...share, peer: me.id } : share)),
      }),
      /^the box of client [0-9a-f]{32} was withheld$/,
    ],
  ]
  test.each(relays)('%s', (_, change, message) => {
    const harness = cohortOf(5)
    const [victim, peer] = [at(harness, 0), at(harness, 1)]
    rewrite(harness, 'relay', (relay) => change(relay, victim, peer), [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', message)
    expect(sentBy(victim)).not.toContain('ack')
  })

  test('a second start that differs ends the round', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'start', (start) => [start, { ...start, configHash: OTHER }], [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', 'the server sent two different "start" messages in one round')
  })
})

describe('a box that was not made for this client by that dealer in this round gives no shares', () => {
  /** The victim holds nothing of the dealer, and so never tells it that it does. */
  function expectNoAckFor(harness: RoundHarness, victim: HarnessClient, ...dealers: readonly HarnessClient[]): void {
    const ack = victim.effects.findLast((effect) => effect.type === 'send' && effect.message.type === 'ack')
    expect(ack).toBeDefined()
    const peers = ack?.type === 'send' && ack.message.type === 'ack' ? ack.message.macs.map(({ peer }) => peer) : []
    expect(peers.sort()).toEqual(
      harness.clients
        .filter((client) => client !== victim && !dealers.includes(client))
        .map(({ id }) => id)
        .sort(),
    )
  }

  test('two boxes are swapped', () => {
    const harness = cohortOf(6)
    const [victim, a, b] = [at(harness, 0), at(harness, 1), at(harness, 2)]
    const swap = (peer: HarnessClient['id']) => (peer === a.id ? b.id : peer === b.id ? a.id : peer)
    const swapped = (relay: Relay) => relay.shares.map((share) => ({ ...share, peer: swap(share.peer) }))
    rewrite(harness, 'relay', (relay) => ({ ...relay, shares: swapped(relay) }), [victim])
    harness.runRound()
    expectNoAckFor(harness, victim, a, b)
  })

  test('a box is of the round before', () => {
    const harness = cohortOf(5)
    const [victim, dealer] = [at(harness, 0), at(harness, 1)]
    let old: Relay['shares'][number] | undefined
    rewrite(
      harness,
      'relay',
      (relay) => {
        const share = relay.shares.find(({ peer }) => peer === dealer.id) as Relay['shares'][number]
        const before = old ?? share
        old = share
        return { ...relay, shares: [...dropped(relay.shares, dealer), before] }
      },
      [victim],
    )
    expect(harness.runRound().phase).toBe('completed')
    harness.runRound()
    expectNoAckFor(harness, victim, dealer)
  })

  test('a box holds other shares than its dealer committed to', () => {
    const harness = cohortOf(5)
    const [victim, dealer] = [at(harness, 0), at(harness, 1)]
    rewrite(
      harness,
      'relay',
      (relay) => ({
        ...relay,
        shares: relay.shares.map((share) =>
          share.peer === dealer.id ? { ...share, commitments: { ...share.commitments, maskKeyShare: OTHER } } : share,
        ),
      }),
      [victim],
    )
    harness.runRound()
    expectNoAckFor(harness, victim, dealer)
  })

  test('its plaintext names another kind, dealer, holder, context or mask key', () => {
    const harness = cohortOf(3)
    const [victim, dealer, third] = [at(harness, 0), at(harness, 1), at(harness, 2)]
    const key = new Uint8Array(32).fill(1)
    const context = new Uint8Array(32).fill(2)
    const shares = { maskKeyShare: new Uint8Array(32).fill(3), selfSeedShare: new Uint8Array(32).fill(4) }
    const mine: Member = { id: dealer.id, maskKey: new Uint8Array(32).fill(5), holders: [] }
    const box = boxShares(key, context, mine, victim.id, shares, seededEntropy('box'))
    expect(openShares(key, box, context, mine, victim.id)).toEqual(shares)
    expect(openShares(OTHER, box, context, mine, victim.id)).toBeUndefined()
    expect(openShares(key, box, OTHER, mine, victim.id)).toBeUndefined()
    expect(openShares(key, box, context, { ...mine, maskKey: OTHER }, victim.id)).toBeUndefined()
    expect(openShares(key, box, context, { ...mine, id: third.id }, victim.id)).toBeUndefined()
    expect(openShares(key, box, context, mine, third.id)).toBeUndefined()
  })
})
