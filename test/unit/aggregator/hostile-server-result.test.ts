import { type ErrorCode, type JournalBody, openEntry, signEntry } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { abortsOf, at, cohortOf, memoCurves, rewrite, sentBy } from './cohort.ts'

const OTHER = new Uint8Array(32).fill(7)

describe('a result that is not of this round is not taken', () => {
  const bodies: readonly (readonly [string, (body: JournalBody) => Partial<JournalBody>])[] = [
    ['skips an entry of the journal', ({ index }) => ({ index: index + 1 })],
    ['does not continue the journal', () => ({ previous: OTHER })],
    ['starts from another model', () => ({ modelBefore: OTHER })],
    ['is of another round', ({ round }) => ({ round: round + 1 })],
    ['is of another task', () => ({ task: 'other' })],
    ['has fewer survivors', ({ cohorts }) => ({ cohorts: withSurvivors(cohorts, (ids) => ids.slice(1)) })],
    [
      'has other survivors',
      ({ cohorts }) => ({ cohorts: withSurvivors(cohorts, (ids) => [...ids.slice(1), '0'.repeat(32) as HarnessClient['id']]) }),
    ],
    ['has no cohort', () => ({ cohorts: [] })],
  ]

  /** The victim has answered, so it can never say that nothing was released; its base stays spent. */
  function expectResultRefused(harness: RoundHarness, victim: HarnessClient, code: ErrorCode): void {
    const head = victim.head
    harness.runRound()
    expect(abortsOf(victim)).toMatchObject([{ code, uploaded: true }])
    expect(victim.effects.some(({ type }) => type === 'committed' || type === 'reopen')).toBe(false)
    expect(sentBy(victim).filter((type) => type === 'unmask')).toHaveLength(1)
    expect(sentBy(victim)).not.toContain('aborted')
    expect(victim.spent.size).toBe(1)
    expect(victim.head?.index ?? 0).toBe(head?.index ?? 0)
  }

  test.each(bodies)('it %s', (_, changes) => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(
      harness,
      'result',
      (result) => {
        const { hash: _hash, ...body } = openEntry(memoCurves, harness.operatorKey, result.entry)
        return { ...result, entry: signEntry(memoCurves, harness.operatorSeed, { ...body, ...changes(body) }) }
      },
      [victim],
    )
    expectResultRefused(harness, victim, 'FL_PROTOCOL_VIOLATION')
  })

  test('the operator did not sign it', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(
      harness,
      'result',
      (result) => {
        const { hash: _hash, ...body } = openEntry(memoCurves, harness.operatorKey, result.entry)
        return { ...result, entry: signEntry(memoCurves, OTHER, body) }
      },
      [victim],
    )
    expectResultRefused(harness, victim, 'FL_PIN_MISMATCH')
  })

  test('it is no entry', () => {
    const harness = cohortOf(5)
    const victim = at(harness, 0)
    rewrite(harness, 'result', (result) => ({ ...result, entry: OTHER }), [victim])
    expectResultRefused(harness, victim, 'FL_MESSAGE_MALFORMED')
  })
})

function withSurvivors(
  cohorts: JournalBody['cohorts'],
  change: (survivors: readonly HarnessClient['id'][]) => readonly HarnessClient['id'][],
): JournalBody['cohorts'] {
  return cohorts.map((cohort) => ({ ...cohort, survivors: change(cohort.survivors) }))
}
