import type { HarnessClient } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { survivorsDigest } from '../../../aggregator/src/secagg/context.ts'
import { pairMask } from '../../../aggregator/src/secagg/masks.ts'
import { abortsOf, byId, cohortOf, forge, memoCurves, onesAt, rewrite, sentBy, sumOf } from './cohort.ts'

const OTHER = new Uint8Array(32).fill(7)

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
})
