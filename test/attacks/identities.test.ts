import { certify, type TaskConfig } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import * as testing from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import { abortsOf, byId, memoCurves, sentBy } from '../unit/aggregator/cohort.ts'
import { allBut, attack, cohort, pick, SMALL_SPARSE, secretOf, smallSparse } from './attack.ts'
import { Thief } from './thief.ts'
import type { Testing } from './without.ts'

const SERVERS_OWN = new Uint8Array(32).fill(7)

/** A round in which everybody but the victim is the server's. */
function amongPuppets(aggregator: Testing, makePuppet: (harness: RoundHarness, client: HarnessClient) => void) {
  const harness = cohort(aggregator, 5)
  const [victim] = pick(harness, 0) as [HarnessClient]
  const puppets = allBut(harness, victim)
  for (const puppet of puppets) makePuppet(harness, puppet)
  const thief = new Thief(harness, puppets)
  harness.runRound()
  return { stolen: thief.steal(victim), secret: secretOf(victim), sent: sentBy(victim), complaint: abortsOf(victim)[0]?.message }
}

function refused({ stolen, sent, complaint }: ReturnType<typeof amongPuppets>): void {
  expect(stolen).toBeUndefined()
  expect(sent).toEqual(['ready'])
  expect(complaint).toMatch(/^client [0-9a-f]{32} in the roster is not certified by the enrolment key [0-9a-f]{64}$/)
}

attack('the server mints Sybils, whom no enrolment key certified', {
  off: ['certificates'],
  run: (aggregator) =>
    amongPuppets(aggregator, (_, { entry }) => {
      const certificate = certify(memoCurves, SERVERS_OWN, entry.certificate.identityKey, 4_000_000_000)
      Object.assign(entry, { certificate })
    }),
  fails: refused,
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack('the server sits behind the certificates of real clients, with channel keys of its own', {
  off: ['channel-signatures'],
  run: (aggregator) =>
    amongPuppets(aggregator, (_, { env, entry, index }) => {
      const channelSecret = new Uint8Array(32).fill(index)
      Object.assign(env, { channelSecret })
      Object.assign(entry, { channelKey: memoCurves.x25519Public(channelSecret) })
    }),
  fails: refused,
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

/** The signed config demands five clients, of whom two may be corrupt; the server runs rounds as if it did not. */
function smallCohort(aggregator: Testing, clients: number) {
  const signed = (defaults: TaskConfig) => ({
    ...defaults,
    cohort: { ...defaults.cohort, minimum: 5 },
    secureAggregation: { ...defaults.secureAggregation, corrupt: 2 },
  })
  const harness = cohort(aggregator, 5, { config: signed })
  const [victim, ...corrupt] = pick(harness, 0, 1, 2) as [HarnessClient, ...HarnessClient[]]
  const { config } = harness
  const lowered = {
    ...config,
    cohort: { ...config.cohort, minimum: 3 },
    secureAggregation: { ...config.secureAggregation, corrupt: 1 },
  }
  Object.assign(harness.server, { config: lowered })
  const thief = new Thief(harness, corrupt)
  harness.runRound(harness.clients.slice(0, clients))
  return { stolen: thief.steal(victim), secret: secretOf(victim), complaint: abortsOf(victim)[0] }
}

attack('a cohort in which the victim is the only honest client', {
  off: ['cohort-floor'],
  run: (aggregator) => smallCohort(aggregator, 3),
  fails: ({ stolen, complaint }) => {
    expect(stolen).toBeUndefined()
    expect(complaint).toMatchObject({ message: '3 clients cannot bear 2 corrupt ones: at most 1', uploaded: false })
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

test('nor does a client take part in a cohort below the minimum that was signed, though two of it are honest', () => {
  const message = 'U1 holds 4 clients, where at least 5 are needed'
  expect(smallCohort(testing, 4).complaint).toMatchObject({ message, uploaded: false })
})

attack('a sparse graph that the server can foresee: it has the four clients on its side whom everybody will choose', {
  off: ['own-holders'],
  run: (aggregator) => {
    const harness = cohort(aggregator, SMALL_SPARSE.clients, { graphOf: smallSparse })
    const accomplices = byId(harness).slice(-4)
    const honest = allBut(harness, ...accomplices)
    const thief = new Thief(harness, accomplices)
    expect(harness.runRound().phase).toBe('completed')
    return { stolen: honest.map((victim) => thief.steal(victim)), secrets: honest.map(secretOf) }
  },
  fails: ({ stolen }) => expect(stolen).toEqual(stolen.map(() => undefined)),
  succeeds: ({ stolen, secrets }) => expect(stolen).toEqual(secrets),
})
