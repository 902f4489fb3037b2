import { mac, pairKey, type ServerMessage, sharedKey } from '@fedweave/aggregator'
import { type HarnessClient, type RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { membersDigest } from '../../../aggregator/src/secagg/context.ts'
import { boxShares, commitTo } from '../../../aggregator/src/secagg/shares.ts'
import type { Member } from '../../../aggregator/src/wire/records.ts'
import {
  abortsOf,
  at,
  byId,
  cohortOf,
  dropped,
  expectNothingUploaded,
  forge,
  keyOf,
  memoCurves,
  rewrite,
  sentBy,
  withKey,
} from './cohort.ts'

type Acks = Extract<ServerMessage, { type: 'acks' }>

const OTHER = new Uint8Array(32).fill(7)

describe('acks that do not prove one U1 with these mask keys end the round before the upload', () => {
  /** The MAC of the ack that `from` sent to `to`, as the server saw it. */
  function ackOf(from: HarnessClient, to: HarnessClient): Uint8Array {
    const sent = from.effects.findLast((effect) => effect.type === 'send' && effect.message.type === 'ack')
    const macs = sent?.type === 'send' && sent.message.type === 'ack' ? sent.message.macs : []
    const found = macs.find(({ peer }) => peer === to.id)
    return found === undefined ? expect.unreachable() : found.mac
  }

  const replaced = (acks: Acks, peer: HarnessClient, mac: Uint8Array): Acks => ({
    ...acks,
    macs: acks.macs.map((item) => (item.peer === peer.id ? { ...item, mac } : item)),
  })

  test('fewer than the threshold came', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'acks', (acks) => ({ ...acks, macs: acks.macs.slice(0, 2) }), [victim])
    expectNothingUploaded(harness, victim, 'FL_TOO_FEW_SHARES', '3 share-holders acknowledged their shares, where 4 are needed')
  })

  test('the threshold came, one of them twice', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'acks', (acks) => ({ ...acks, macs: [...acks.macs.slice(0, 2), ...acks.macs.slice(0, 2)] }), [victim])
    expectNothingUploaded(harness, victim, 'FL_TOO_FEW_SHARES', '3 share-holders acknowledged their shares, where 4 are needed')
  })

  test('threshold acks are enough', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'acks', (acks) => ({ ...acks, macs: acks.macs.slice(0, 3) }), [victim])
    expect(harness.runRound().phase).toBe('completed')
    expect(sentBy(victim)).toContain('upload')
  })

  const forgeries: readonly (readonly [string, (harness: RoundHarness, me: HarnessClient, peer: HarnessClient) => Uint8Array])[] =
    [
      ['is its own, sent back', (_harness, me, peer) => ackOf(me, peer)],
      ['was meant for another', (harness, _me, peer) => ackOf(peer, at(harness, 2))],
      ['came from another', (harness, me) => ackOf(at(harness, 2), me)],
      ['is made up', () => new Uint8Array(16)],
    ]
  test.each(forgeries)('one %s', (_, forged) => {
    const harness = cohortOf(5)
    const [victim, peer] = [at(harness, 0), at(harness, 1)]
    rewrite(harness, 'acks', (acks) => replaced(acks, peer, forged(harness, victim, peer)), [victim])
    expectNothingUploaded(
      harness,
      victim,
      'FL_PROTOCOL_VIOLATION',
      `the ack of client ${peer.id} is not its own, or it was shown another U1`,
    )
  })

  test('one is of the round before', () => {
    const harness = cohortOf(5)
    const [victim, peer] = [at(harness, 0), at(harness, 1)]
    expect(harness.runRound().phase).toBe('completed')
    const old = ackOf(peer, victim)
    victim.spent.clear()
    victim.effects.length = 0
    rewrite(harness, 'acks', (acks) => replaced(acks, peer, old), [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', /^the ack of client/)
  })

  test('the server put its own mask key in place of a client’s for everybody: the client itself sees it, nobody masks with it', () => {
    const harness = cohortOf(5)
    const peer = at(harness, 1)
    rewrite(harness, 'relay', (relay) => ({ ...relay, members: withKey(relay.members, peer, OTHER) }))
    harness.runRound()
    expect(abortsOf(peer)).toMatchObject([{ message: "U1 lacks this client's own mask key", uploaded: false }])
    for (const client of harness.clients.filter((client) => client !== peer)) {
      const upload = client.effects.find((effect) => effect.type === 'upload')
      expect(upload?.type === 'upload' && upload.masks.length).toBe(4) // its own, and with three others
    }
  })

  test('a box did not open and its dealer’s ack is withheld', () => {
    const harness = cohortOf(5)
    const [victim, dealer] = [at(harness, 0), at(harness, 1)]
    rewrite(
      harness,
      'relay',
      (relay) => ({
        ...relay,
        shares: relay.shares.map((share) => (share.peer === dealer.id ? { ...share, box: share.box.slice().fill(0) } : share)),
      }),
      [victim],
    )
    rewrite(harness, 'acks', (acks) => ({ ...acks, macs: dropped(acks.macs, dealer) }), [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', `nothing authenticates the mask key of client ${dealer.id}`)
  })

  test('a corrupt client’s mask key has low order, so that the server knows every mask shared with it', () => {
    const harness = cohortOf(5)
    const corrupt = at(harness, 1)
    const zero: Member = { id: corrupt.id, maskKey: new Uint8Array(32), holders: [] }
    rewrite(harness, 'relay', (relay, to) => {
      if (to === corrupt) return relay
      const shared = sharedKey(memoCurves, corrupt.env.channelSecret, to.entry.channelKey) as Uint8Array
      const shares = { maskKeyShare: new Uint8Array(32), selfSeedShare: new Uint8Array(32) }
      const key = pairKey(shared, relay.context, 'box', corrupt.id, to.id)
      const dealt = {
        peer: corrupt.id,
        box: boxShares(key, relay.context, zero, to.id, shares, seededEntropy('corrupt')),
        commitments: commitTo(relay.context, corrupt.id, to.id, shares),
      }
      return {
        ...relay,
        members: withKey(relay.members, corrupt, zero.maskKey),
        shares: [...dropped(relay.shares, corrupt), dealt],
      }
    })
    // Its acks would be of another U1; it acknowledges the one that the others see.
    rewrite(harness, 'acks', (acks, to) => {
      if (to.state.phase !== 'setup' || to.state.membership === undefined) return acks
      const { members } = to.state.membership
      const shared = sharedKey(memoCurves, corrupt.env.channelSecret, to.entry.channelKey) as Uint8Array
      const key = pairKey(shared, acks.context, 'ack', corrupt.id, to.id)
      const tag = mac(key, acks.context, membersDigest(acks.context, members), zero.maskKey, keyOf(members, to))
      return replaced(acks, corrupt, tag)
    })
    harness.runRound()
    for (const client of harness.clients.filter((client) => client !== corrupt)) {
      expect(abortsOf(client)).toMatchObject([{ message: `the mask key of client ${corrupt.id} has low order` }])
      expect(sentBy(client)).not.toContain('upload')
    }
  })

  const actives: readonly (readonly [string, (active: readonly number[], me: number) => readonly number[], RegExp])[] = [
    ['is not sorted', (active) => [...active].reverse(), /^the active clients are not a sorted part of U1/],
    ['names a client twice', (active) => [...active, active.at(-1) as number], /^the active clients are not a sorted part of U1/],
    ['names a client outside the roster', (active) => [...active, 6], /^the active clients are not a sorted part of U1/],
    [
      'leaves this client out',
      (active, me) => active.filter((place) => place !== me),
      /^the active clients are not a sorted part of U1/,
    ],
    [
      'is too short',
      (active, me) => active.filter((place) => place === me || place < 4).slice(-4),
      /^4 clients are active, where at least 5 are needed$/,
    ],
  ]
  test.each(actives)('the list of active clients %s', (_, change, message) => {
    const harness = cohortOf(6)
    const victim = at(harness, 0)
    const place = byId(harness).indexOf(victim)
    rewrite(harness, 'acks', (acks) => ({ ...acks, active: change(acks.active, place) }), [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', message)
  })

  test('the list of active clients names one of the roster that is not in U1', () => {
    const harness = cohortOf(6)
    const [victim, silent] = [at(harness, 0), at(harness, 5)]
    forge(harness, silent, 'setup', () => [])
    rewrite(harness, 'acks', (acks) => ({ ...acks, active: [0, 1, 2, 3, 4, 5] }), [victim])
    expectNothingUploaded(harness, victim, 'FL_PROTOCOL_VIOLATION', /^the active clients are not a sorted part of U1/)
  })

  test('acks that come before the relay say nothing; sent again after it they count', () => {
    const harness = cohortOf(5)
    rewrite(harness, 'relay', (relay) => [{ type: 'acks', context: relay.context, active: [], macs: [] }, relay])
    expect(harness.runRound().phase).toBe('completed')
  })
})
