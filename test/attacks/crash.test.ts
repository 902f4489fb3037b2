import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { expect } from 'vitest'
import { intercept, sentBy, sumOf } from '../unit/aggregator/cohort.ts'
import { allBut, attack, cohort, pick, secretOf } from './attack.ts'
import { Thief } from './thief.ts'

/** The server keeps the answers for itself and says that it crashed. */
function claimCrash(harness: RoundHarness): void {
  let answers = 0
  intercept(harness, ({ to, message }) => {
    if (to !== 'server' || message.type !== 'unmask' || ++answers > harness.clients.length) return undefined
    if (answers === harness.clients.length) harness.toServer({ type: 'fail', code: 'FL_SERVER_FAULT', message: 'crashed' })
    return []
  })
}

attack('an abort claimed after unmasking, and a round on the same model without the victim, to subtract', {
  off: ['abort-or-answer'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [victim] = pick(harness, 2) as [HarnessClient]
    const thief = new Thief(harness)
    claimCrash(harness)
    expect(harness.runRound().phase).toBe('aborted')
    const withVictim = thief.sum(harness.clients)
    const again = harness.runRound(allBut(harness, victim))
    const difference =
      again.phase === 'completed' ? withVictim?.map((value, i) => value - (sumOf(harness)[i] as number)) : undefined
    return { harness, again, withVictim, difference, secret: secretOf(victim) }
  },
  fails: ({ harness, again, withVictim, difference }) => {
    expect(withVictim).toBeDefined() // one sum is the server's by right
    expect(again).toMatchObject({ phase: 'aborted', code: 'FL_TOO_FEW_CLIENTS' })
    expect(difference).toBeUndefined()
    for (const client of harness.clients) {
      const sent = sentBy(client).filter((type) => type !== 'decline')
      expect(sent).toEqual(['ready', 'setup', 'ack', 'upload', 'confirm', 'unmask']) // and nobody states that it released nothing
      expect(client.spent.size).toBe(1)
    }
  },
  succeeds: ({ difference, secret }) => expect(difference).toEqual(secret),
})
