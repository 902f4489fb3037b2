import type { HarnessClient, HarnessOptions, RoundHarness } from '@fedweave/aggregator/testing'
import * as testing from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { survivorsDigest } from '../../aggregator/src/secagg/context.ts'
import type { GraphRule } from '../../aggregator/src/secagg/params.ts'
import { forge, memoCurves } from '../unit/aggregator/cohort.ts'
import type { Defence } from './defences.ts'
import { type Testing, without } from './without.ts'

export interface Attack<T> {
  /** Without all of these, and only these, the attack succeeds. */
  readonly off: readonly Defence[]
  /** Carries the attack out and gives back what came of it. */
  readonly run: (aggregator: Testing) => T
  readonly fails: (outcome: T) => void
  readonly succeeds: (outcome: T) => void
}

/** One attack twice: on the code as it is, and on the code without one defence. */
export function attack<T>(name: string, { off, run, fails, succeeds }: Attack<T>): void {
  describe(name, () => {
    test('fails', () => fails(run(testing)))
    test(`control: succeeds without ${off.join(', ')}`, async () => succeeds(run(await without(...off))))
  })
}

const SIZE = 6

/** What no one but client `index` may know: whole numbers, which a sum keeps exactly. */
export function secretOf({ index }: Pick<HarnessClient, 'index'>): number[] {
  return Array.from({ length: SIZE }, (_, i) => (i % 2 === 0 ? 1 : -1) * (100 * (index + 1) + i))
}

export function updateOf(delta: readonly number[]) {
  return { delta: Float32Array.from(delta), examples: 1, loss: 2, accuracy: 0.5 }
}

/** A cohort whose clients' deltas are their secrets; those of the same size share their long-term keys. */
export function cohort(aggregator: Testing, clients: number, options: Partial<HarnessOptions> = {}): RoundHarness {
  const update = (index: number) => updateOf(secretOf({ index }))
  return new aggregator.RoundHarness({ clients, seed: `attacks/${clients}`, size: SIZE, curves: memoCurves, update, ...options })
}

/** A sparse graph small enough to look at: each client chooses 4 of the 11 others, 4 shares rebuild a secret. */
export const SMALL_SPARSE = { clients: 12, holders: 5, threshold: 4 } as const
export const smallSparse: GraphRule = () => ({ ...SMALL_SPARSE, corrupt: 2, complete: false, minimumSurvivors: 6 })

export function pick(harness: RoundHarness, ...indices: readonly number[]): HarnessClient[] {
  return indices.map((index) => harness.clients[index] as HarnessClient)
}

/** The other clients. */
export function allBut(harness: RoundHarness, ...left: readonly HarnessClient[]): HarnessClient[] {
  return harness.clients.filter((client) => !left.includes(client))
}

/** A malicious coordinator does not check what a transcript signature is over: its own refusal must not hide what clients check. */
export function acceptAnyConfirm(harness: RoundHarness): void {
  for (const client of harness.clients) {
    forge(harness, client, 'confirm', (confirm) => {
      const { activeDigest, survivors } = harness.state?.phase === 'confirming' ? harness.state : expect.unreachable()
      const digest = survivorsDigest(confirm.context, activeDigest, survivors)
      return { ...confirm, signature: memoCurves.sign(client.env.identitySeed, digest) }
    })
  }
}
