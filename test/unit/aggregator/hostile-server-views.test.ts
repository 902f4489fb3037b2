import { openEntry, signEntry, toHex } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { survivorsDigest } from '../../../aggregator/src/secagg/context.ts'
import { pairMask, selfMask } from '../../../aggregator/src/secagg/masks.ts'
import type { RosterEntry } from '../../../aggregator/src/wire/records.ts'
import { abortsOf, byId, cohortOf, forge, memoCurves, onesAt, rewrite, sentBy, sumOf } from './cohort.ts'

const OTHER = new Uint8Array(32).fill(7)

/** Splits the cohort: `some` are shown other facts than the rest. */
const views: readonly (readonly [string, (harness: RoundHarness, some: readonly HarnessClient[]) => void])[] = [
  [
    'rosters',
    (harness, some) => {
      // Each side sees a wrong nonce in the entries of the other, which only the other could notice.
      const theirs = (entry: RosterEntry, to: HarnessClient) => {
        const owner = harness.clients.find(({ entry: own }) => toHex(own.channelKey) === toHex(entry.channelKey)) as HarnessClient
        return some.includes(owner) === some.includes(to) ? entry : { ...entry, nonce: new Uint8Array(16) }
      }
      rewrite(harness, 'start', (start, to) => ({ ...start, roster: start.roster.map((entry) => theirs(entry, to)) }))
    },
  ],
  [
    'models',
    (harness, some) => {
      const head = forkedHead(harness, { modelAfter: OTHER })
      rewrite(harness, 'invite', (invite) => ({ ...invite, modelHash: OTHER }), some)
      rewrite(harness, 'start', (start) => ({ ...start, modelHash: OTHER, head }), some)
    },
  ],
  [
    'histories of the same model',
    (harness, some) => {
      const head = forkedHead(harness, { at: 1 })
      rewrite(harness, 'start', (start) => ({ ...start, head }), some)
    },
  ],
  [
    'configs',
    (harness, some) => {
      const head = forkedHead(harness, { configHash: OTHER })
      for (const client of some) Object.assign(client.env, { configHash: OTHER })
      rewrite(harness, 'start', (start) => ({ ...start, configHash: OTHER, head }), some)
    },
  ],
]

function forkedHead(harness: RoundHarness, changes: object): Uint8Array {
  const { hash: _, ...body } = openEntry(memoCurves, harness.operatorKey, harness.journal.at(-1) as Uint8Array)
  return signEntry(memoCurves, harness.operatorSeed, { ...body, ...changes })
}

describe.each(views)('clients that are shown different %s', (_, show) => {
  // Whoever holds the other context takes no message of the server's, so the malicious server translates it.
  function relayAcross(harness: RoundHarness): void {
    const contextOf = (client: HarnessClient) => ('facts' in client.state ? client.state.facts.context : undefined)
    const { network } = harness
    harness.network = (envelope) => {
      const context = contextOf(harness.client(envelope.client))
      const real = harness.state !== undefined && 'facts' in harness.state ? harness.state.facts.context : undefined
      if (context === undefined || real === undefined || !('context' in envelope.message)) return network(envelope)
      const translated = { ...envelope.message, context: envelope.to === 'client' ? context : real }
      return network({ ...envelope, message: translated } as typeof envelope)
    }
  }

  // Threshold 4. Who saw other facts opens no box of the other side, and so neither gives it an ack nor gets one.
  const tooFew = (count: number) => `${count} share-holders acknowledged their shares, where 4 are needed`

  test('send no update when neither side reaches the threshold', () => {
    const harness = cohortOf(5)
    show(harness, harness.clients.slice(0, 2))
    relayAcross(harness)
    expectNoUpload(harness, [tooFew(2), tooFew(2), tooFew(3), tooFew(3), tooFew(3)])
  })

  test('send no update when one side reaches the threshold: nothing authenticates the keys of the other', () => {
    const harness = cohortOf(5)
    const alone = harness.clients.slice(0, 1)
    show(harness, alone)
    relayAcross(harness)
    const foreign = `nothing authenticates the mask key of client ${alone[0]?.id}`
    expectNoUpload(harness, [tooFew(1), foreign, foreign, foreign, foreign])
  })
})

function expectNoUpload(harness: RoundHarness, reasons: readonly string[]): void {
  expect(harness.runRound().phase).toBe('aborted')
  for (const client of harness.clients) {
    expect(sentBy(client)).toEqual(['ready', 'setup', 'ack', 'aborted'])
    expect(abortsOf(client)).toMatchObject([{ message: reasons[client.index] }])
  }
}

test('clients that are shown different active clients: whoever saw fewer releases nothing, and no client has both its secrets out', () => {
  const harness = cohortOf(6) // threshold 4, at least 5 active
  const misled = harness.clients.slice(0, 2)
  const last = byId(harness).findLast((client) => !misled.includes(client)) as HarnessClient
  const place = byId(harness).indexOf(last)
  rewrite(harness, 'acks', (acks) => ({ ...acks, active: acks.active.filter((one) => one !== place) }), misled)
  rewrite(harness, 'survivors', (sent) => ({ ...sent, survivors: sent.survivors.filter((id) => id !== last.id) }), misled)
  for (const client of misled) {
    // The coordinator's own check of the signature must not hide what clients check.
    forge(harness, client, 'confirm', (confirm) => {
      const { activeDigest, survivors } = harness.state?.phase === 'confirming' ? harness.state : expect.unreachable()
      const digest = survivorsDigest(confirm.context, activeDigest, survivors)
      return { ...confirm, signature: memoCurves.sign(client.env.identitySeed, digest) }
    })
  }
  const state = harness.runRound()
  for (const client of misled) {
    expect(sentBy(client)).toEqual(['ready', 'setup', 'ack', 'upload', 'confirm', 'aborted'])
    expect(abortsOf(client)).toMatchObject([{ code: 'FL_TOO_FEW_SHARES' }])
    expect(client.spent.size).toBe(1)
  }
  // The other four go on; their masks with the misled do not cancel, so that the sum is noise.
  const { answers } = state.phase === 'completed' ? state : expect.unreachable()
  for (const { selfSeed, maskKey } of answers.values()) expect([selfSeed.size, maskKey.size]).toEqual([6, 0])
  expect(sumOf(harness)).not.toEqual(onesAt(harness, [0, 1, 2, 3, 4, 5]))
})

describe('masks', () => {
  const secrets = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const
  const [context, u1] = [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)]
  const [a, b] = secrets.map((secret, i) => ({
    id: `${i}`.repeat(32) as HarnessClient['id'],
    maskKey: memoCurves.x25519Public(secret),
  }))
  const half = (mine: 0 | 1, ctx: Uint8Array, members: Uint8Array) => {
    const [me, peer] = mine === 0 ? [a, b] : [b, a]
    if (me === undefined || peer === undefined) return expect.unreachable()
    return pairMask(memoCurves, secrets[mine], me, peer, ctx, members) ?? expect.unreachable()
  }

  test('of a pair cancel when both saw one context and one U1', () => {
    const [mine, theirs] = [half(0, context, u1), half(1, context, u1)]
    expect(mine.keys).toEqual(theirs.keys)
    expect(mine.sign).toBe(-theirs.sign)
  })

  test('of a pair do not cancel when they saw two contexts or two U1s', () => {
    const mine = half(0, context, u1)
    for (const theirs of [half(1, OTHER, u1), half(1, context, OTHER)]) {
      expect(mine.keys.update).not.toEqual(theirs.keys.update)
      expect(mine.keys.counters).not.toEqual(theirs.keys.counters)
    }
  })

  test('of one round use no stream twice', () => {
    const self = selfMask(secrets[0], context, u1, '0'.repeat(32) as HarnessClient['id'])
    const pair = half(0, context, u1)
    const streams = [self.update, self.counters, pair.keys.update, pair.keys.counters].map(toHex)
    expect(new Set(streams).size).toBe(4)
  })
})
