import { encodeRound, resumeRound } from '@fedweave/aggregator'
import type { Envelope, RoundHarness } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { abortsOf, at, cohortOf, intercept, onesAt, sentBy, sumOf } from './cohort.ts'

/** Drops client 4 after its ack, so that its masks are rebuilt, and lets `crash` take the first `answers` answers. */
function loseAnswers(harness: RoundHarness, answers: number, crash: (lost: readonly Envelope[]) => readonly Envelope[]): void {
  const lost: Envelope[] = []
  intercept(harness, (envelope) => {
    if (envelope.to === 'server' && envelope.message.type === 'upload' && envelope.client === at(harness, 4).id) {
      at(harness, 4).alive = false
      harness.toServer({ type: 'gone', from: envelope.client })
      return []
    }
    if (envelope.to !== 'server' || envelope.message.type !== 'unmask' || lost.length >= answers) return undefined
    lost.push(envelope)
    return lost.length < answers ? [] : crash(lost)
  })
}

/** Another process reads what this one kept. */
function restart(harness: RoundHarness): void {
  if (harness.state?.phase !== 'unmasking') return expect.unreachable()
  const { state, effects } = resumeRound(harness.server, encodeRound(harness.state), harness.now, 500)
  harness.state = state
  for (const effect of effects)
    if (effect.type === 'send') harness.inject({ to: 'client', client: effect.to, message: effect.message })
}

describe('a coordinator that crashes after it asked for shares', () => {
  test('finishes the round from its record when the clients send their answers again, to the same sum', () => {
    const harness = cohortOf(5)
    loseAnswers(harness, 3, (lost) => {
      restart(harness)
      return lost
    })
    expect(harness.runRound().phase).toBe('completed')
    expect(sumOf(harness).slice(0, 5)).toEqual(onesAt(harness, [0, 1, 2, 3]))
    for (const client of harness.clients.slice(0, 4)) {
      expect(sentBy(client).filter((type) => type === 'unmask')).toHaveLength(1) // the confirmations came twice, and equal
      expect(client.effects.some(({ type }) => type === 'committed')).toBe(true)
    }
  })

  test('keeps exactly the state that it had, but for answers, boxes and its deadline', () => {
    const harness = cohortOf(5)
    let compared = false
    loseAnswers(harness, 1, (lost) => {
      if (harness.state?.phase !== 'unmasking') return expect.unreachable()
      const { setups, ...before } = harness.state
      const { state } = resumeRound(harness.server, encodeRound(harness.state), harness.now, 500)
      if (state.phase !== 'unmasking') return expect.unreachable()
      expect(state.deadline).toBe(harness.now + 500 + harness.config.deadlines.unmaskingMs)
      const { facts, members, u1Digest, active, activeDigest, survivors, confirms } = state
      expect(before).toMatchObject({ facts, members, u1Digest, active, activeDigest, survivors, confirms })
      expect([state.gone.size, state.answers.size, state.shareCounts.size]).toEqual([0, 0, 0])
      const withoutBoxes = [...setups].map(([id, setup]) => [
        id,
        { ...setup, shares: setup.shares.map((share) => ({ ...share, box: new Uint8Array() })) },
      ])
      expect([...state.setups]).toEqual(withoutBoxes)
      compared = true
      return lost
    })
    harness.runRound()
    expect(compared).toBe(true)
  })

  test('gives the round up at its deadline when too few come back', () => {
    const harness = cohortOf(5)
    loseAnswers(harness, 4, (lost) => {
      restart(harness)
      return lost.slice(0, 2)
    })
    expect(harness.runRound()).toMatchObject({ phase: 'aborted', code: 'FL_TOO_FEW_SHARES' })
    for (const client of harness.clients.slice(0, 4)) expect(abortsOf(client)).toHaveLength(1)
  })

  test('does not take other bytes for a record', () => {
    const { server, now } = cohortOf(5)
    expect(() => resumeRound(server, new Uint8Array(100), now, 0)).toThrow(
      expect.objectContaining({ code: 'FL_MESSAGE_MALFORMED' }),
    )
  })
})
