import { pairKey, seal, sharedKey } from '@fedweave/aggregator'
import { type HarnessClient, type RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { boxShares, commitTo } from '../../../aggregator/src/secagg/shares.ts'
import type { ClientMessage } from '../../../aggregator/src/wire/messages.ts'
import { at, blamesOf, clientSealKey, cohortOf, forge, liarAnswers, memoCurves, onesAt, rejectsOf, sumOf } from './cohort.ts'

type Setup = Extract<ClientMessage, { type: 'setup' }>

const OTHER = new Uint8Array(32).fill(7)
const EVERYBODY = [0, 1, 2, 3, 4, 5]

/** Six clients: threshold 4, and one may drop out. */
const cohort = () => cohortOf(6)

function expectCommitted(harness: RoundHarness, indices: readonly number[]): void {
  expect(harness.runRound().phase).toBe('completed')
  expect(sumOf(harness)).toEqual(onesAt(harness, indices))
}

describe('an answer that is not what it must be is left out, and the sum stays exact', () => {
  test('the transcript signature is not of this round', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    forge(harness, liar, 'confirm', (confirm) => ({ ...confirm, signature: new Uint8Array(64) }))
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([
      { code: 'FL_MESSAGE_MALFORMED', message: 'the transcript signature of this "confirm" is not of this round' },
    ])
  })

  test.each([
    ['is empty', () => new Uint8Array(0)],
    ['is garbage', () => new Uint8Array(400)],
    ['is sealed under another key', () => seal(OTHER, new Uint8Array(8))],
  ])('its seal %s', (_, sealed) => {
    const harness = cohort()
    const liar = at(harness, 0)
    forge(harness, liar, 'unmask', (unmask) => ({ ...unmask, sealed: sealed() }))
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_SEAL_BROKEN' }])
  })

  test('its plaintext is no list of shares', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    forge(harness, liar, 'unmask', (unmask) => ({
      ...unmask,
      sealed: seal(clientSealKey(harness, liar, unmask.context, 'unmask'), OTHER),
    }))
    expectCommitted(harness, EVERYBODY)
    expect(rejectsOf(harness, liar)).toMatchObject([{ code: 'FL_MESSAGE_MALFORMED' }])
  })

  test('it gives the shares of both secrets of every client: the server keeps one kind', () => {
    const harness = cohort()
    const [liar, dropout] = [at(harness, 0), at(harness, 5)]
    forge(harness, dropout, 'upload', () => [])
    const held = heldBy(harness, liar)
    liarAnswers(harness, liar, () => ({
      selfSeed: held().map(([owner, { selfSeedShare: share }]) => ({ owner, share })),
      maskKey: held().map(([owner, { maskKeyShare: share }]) => ({ owner, share })),
    }))
    expectCommitted(harness, [0, 1, 2, 3, 4])
    expect(blamesOf(harness)).toEqual([])
    const { answers, survivors } = harness.state?.phase === 'completed' ? harness.state : expect.unreachable()
    const kept = answers.get(liar.id)
    expect([...(kept?.selfSeed.keys() ?? [])].sort()).toEqual(survivors)
    expect([...(kept?.maskKey.keys() ?? [])]).toEqual([dropout.id])
  })

  test('it gives shares of clients that are not in the round', () => {
    const harness = cohort()
    const liar = at(harness, 0)
    const stranger = '0'.repeat(32) as HarnessClient['id']
    liarAnswers(harness, liar, ({ selfSeed, maskKey }) => ({
      selfSeed: [...selfSeed, { owner: stranger, share: OTHER }],
      maskKey: [...maskKey, { owner: stranger, share: OTHER }],
    }))
    expectCommitted(harness, EVERYBODY)
    expect(blamesOf(harness)).toEqual([])
  })
})

describe('a dealer whose shares do not fit together is named, and the round ends', () => {
  /** Deals random shares, each well boxed and committed to. */
  function dealRandom(harness: RoundHarness, dealer: HarnessClient): void {
    forge(harness, dealer, 'setup', (setup: Setup) => {
      const entropy = seededEntropy('inconsistent')
      const { context, maskKey } = setup
      const shares = setup.shares.map((dealt) => {
        const holder = harness.client(dealt.peer)
        if (holder === dealer) return dealt
        const random = { maskKeyShare: entropy.bytes(32), selfSeedShare: entropy.bytes(32) }
        const shared = sharedKey(memoCurves, dealer.env.channelSecret, holder.entry.channelKey) as Uint8Array
        const key = pairKey(shared, context, 'box', dealer.id, holder.id)
        return {
          peer: holder.id,
          box: boxShares(key, context, { id: dealer.id, maskKey, holders: [] }, holder.id, random, entropy),
          commitments: commitTo(context, dealer.id, holder.id, random),
        }
      })
      return { ...setup, shares }
    })
  }

  const named = (harness: RoundHarness, dealer: HarnessClient) => ({
    phase: 'aborted',
    code: 'FL_TOO_FEW_SHARES',
    message: `the shares that client ${dealer.id} dealt do not give the secret that it committed to`,
    round: harness.journal.length,
  })

  test('as a survivor, by its self seed', () => {
    const harness = cohort()
    const dealer = at(harness, 0)
    dealRandom(harness, dealer)
    expect(harness.runRound()).toEqual(named(harness, dealer))
    expect(harness.journal).toHaveLength(1)
  })

  test('as a dropout, by its mask key', () => {
    const harness = cohort()
    const dealer = at(harness, 0)
    dealRandom(harness, dealer)
    forge(harness, dealer, 'upload', () => [])
    expect(harness.runRound()).toEqual(named(harness, dealer))
  })

  test('when it committed to another self seed than it shared', () => {
    const harness = cohort()
    const dealer = at(harness, 0)
    forge(harness, dealer, 'setup', (setup) => ({ ...setup, selfSeedCommitment: OTHER }))
    expect(harness.runRound()).toEqual(named(harness, dealer))
  })
})

describe('a client that masks garbage counters', () => {
  const garbage = (weighting: 'uniform' | 'examples') =>
    cohortOf(6, {
      config: (defaults) => ({
        ...defaults,
        secureAggregation: { ...defaults.secureAggregation, weighting, maxWeight: weighting === 'uniform' ? 1 : 4 },
      }),
      onQuantised: (index, plain) => {
        if (index === 0) plain.counters.fill(0xffffffff)
      },
    })

  test('takes the figures away, but not the mean under uniform weights', () => {
    const harness = garbage('uniform')
    expectCommitted(harness, EVERYBODY)
    expect(harness.aggregate?.weight).toBe(6)
    expect(harness.aggregate?.counters).toBeUndefined()
  })

  test('ends the round where the weight is one of the counters', () => {
    const harness = garbage('examples')
    expect(harness.runRound()).toMatchObject({ phase: 'aborted', code: 'FL_OUT_OF_RANGE' })
    expect(harness.journal).toHaveLength(1)
  })
})

test('an update with bits after its last parameter is refused before it is added', () => {
  const { format } = cohort()
  const plain = new Uint8Array(format.plainBytes)
  expect(format.parse(plain)).toMatchObject({ update: new Uint32Array(6) })
  plain[format.plainBytes - 17] = 0x80 // the last byte of the update, in front of the four counters
  expect(format.parse(plain)).toEqual({ fault: 'FL_UPDATE_SHAPE', message: 'the bits after the last parameter are not zero' })
})

/** The shares that this client holds, taken just before it answers. */
function heldBy(harness: RoundHarness, client: HarnessClient) {
  const copies: [HarnessClient['id'], { maskKeyShare: Uint8Array; selfSeedShare: Uint8Array }][] = []
  forge(harness, client, 'confirm', (confirm) => {
    const state = client.state.phase === 'confirming' ? client.state : expect.unreachable()
    for (const [owner, { maskKeyShare, selfSeedShare }] of state.membership.held) {
      copies.push([owner, { maskKeyShare: maskKeyShare.slice(), selfSeedShare: selfSeedShare.slice() }])
    }
    return confirm
  })
  return () => copies
}
