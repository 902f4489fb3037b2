import type { RoundHarness } from '@fedweave/aggregator/testing'
import * as testing from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import type { UnmaskShares } from '../../aggregator/src/wire/messages.ts'
import { blamesOf, byId, forge, liarAnswers, sumOf } from '../unit/aggregator/cohort.ts'
import { attack, cohort, secretOf } from './attack.ts'
import type { Testing } from './without.ts'

const FALSE_SHARE = new Uint8Array(32).fill(7)
const falsified = (shares: UnmaskShares['selfSeed']) => shares.map(({ owner }) => ({ owner, share: FALSE_SHARE }))

function sumOver(harness: RoundHarness, ids: readonly string[]): number[] {
  const secrets = harness.clients.filter(({ id }) => ids.includes(id)).map(secretOf)
  return secrets.reduce((sum, secret) => sum.map((value, i) => value + (secret[i] as number)))
}

/** Six clients, threshold 4; the first in the roster gives false shares, which come first where secrets are rebuilt. */
function corrupted(aggregator: Testing, kind: keyof UnmaskShares) {
  const harness = cohort(aggregator, 6)
  const [liar, dropout] = byId(harness) as [testing.HarnessClient, testing.HarnessClient]
  if (kind === 'maskKey') forge(harness, dropout, 'upload', () => [])
  liarAnswers(harness, liar, (shares) => ({ ...shares, [kind]: falsified(shares[kind]) }))
  return { harness, state: harness.runRound(), liar, dropout, blames: blamesOf(harness) }
}

for (const kind of ['selfSeed', 'maskKey'] as const) {
  attack(`a share-holder answers with false shares of ${kind === 'selfSeed' ? 'self seeds' : "a dropout's mask key"}`, {
    off: ['share-commitments'],
    run: (aggregator) => corrupted(aggregator, kind),
    fails: ({ harness, state, liar, dropout, blames }) => {
      const { survivors } = state.phase === 'completed' ? state : expect.unreachable()
      expect(survivors).toHaveLength(kind === 'selfSeed' ? 6 : 5)
      expect(sumOf(harness)).toEqual(sumOver(harness, survivors))
      const owners = kind === 'selfSeed' ? survivors : [dropout.id]
      expect(blames).toHaveLength(owners.length)
      expect(blames).toEqual(expect.arrayContaining(owners.map((owner) => ({ holder: liar.id, owner }))))
    },
    succeeds: ({ state, liar, blames }) => {
      expect(blames).toEqual([])
      const { message } = state.phase === 'aborted' ? state : expect.unreachable()
      expect(message).toMatch(/^the shares that client [0-9a-f]{32} dealt do not give the secret/)
      if (kind === 'maskKey') expect(message).not.toContain(liar.id) // who is honest is named
    },
  })
}

test('as many liars as leave threshold - 1 true shares end the round, and nothing is unmasked', () => {
  const harness = cohort(testing, 6)
  for (const liar of harness.clients.slice(0, 3)) {
    liarAnswers(harness, liar, ({ selfSeed, maskKey }) => ({ selfSeed: falsified(selfSeed), maskKey }))
  }
  expect(harness.runRound()).toMatchObject({
    phase: 'aborted',
    code: 'FL_TOO_FEW_SHARES',
    message: 'a secret of round 1 has 3 valid shares, where 4 are needed',
  })
  expect(harness.serverEffects.some(({ type }) => type === 'unmask')).toBe(false)
})
