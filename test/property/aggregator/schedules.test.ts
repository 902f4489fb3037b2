import { type ClientId, completeGraph, decode, openSeal, sealKey, sharedKey, toHex } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unmaskShares } from '../../../aggregator/src/wire/messages.ts'
import { onesAt } from '../../unit/aggregator/cohort.ts'
import { everything, type Play, plans, play } from './schedule.ts'

/** What a server that keeps every message can rebuild of one context. */
interface Exposure {
  /** Holders of whom a share of that kind was sent, by owner. */
  readonly selfSeed: Map<ClientId, number>
  readonly maskKey: Map<ClientId, number>
}

/** Opens every answer that was ever sent, also those that the coordinator did not take. */
function exposures({ harness, sent }: Play): Map<string, Exposure> {
  const contexts = new Map<string, Exposure>()
  for (const { client, message } of sent) {
    if (message.type !== 'unmask') continue
    const { curves, coordinatorSecret } = harness.server
    const shared = sharedKey(curves, coordinatorSecret, client.entry.channelKey) as Uint8Array
    const key = sealKey(shared, message.context, 'unmask', client.id)
    const plain = openSeal(key, message.sealed, message.sealed.length - 16) as Uint8Array
    const given = decode(unmaskShares, plain)
    const context = contexts.get(toHex(message.context)) ?? { selfSeed: new Map(), maskKey: new Map() }
    contexts.set(toHex(message.context), context)
    for (const kind of ['selfSeed', 'maskKey'] as const)
      for (const { owner } of given[kind]) context[kind].set(owner, (context[kind].get(owner) ?? 0) + 1)
  }
  return contexts
}

/** Contexts in which this client sent a message of that type, one for each time. */
function contextsOf({ sent }: Play, client: HarnessClient, type: string): string[] {
  return sent.flatMap(({ client: from, message }) =>
    from === client && message.type === type && 'context' in message ? [toHex(message.context as Uint8Array)] : [],
  )
}

/** The base model of each context in which the client has uploaded. */
function basesOf(client: HarnessClient): Map<string, string> {
  const bases = new Map<string, string>()
  for (const effect of client.effects) if (effect.type === 'spend') bases.set(toHex(effect.context), toHex(effect.modelHash))
  return bases
}

function graphOf({ config }: RoundHarness, clients: number) {
  return completeGraph(clients, { minimumCohort: config.cohort.minimum })
}

/** Clients that started in this context, by their own word: whoever sent a setup. */
function rosterSize(run: Play, context: string): number {
  const started = run.harness.clients.find((client) => contextsOf(run, client, 'setup').includes(context))
  expect(started).toBeDefined()
  const setup = run.sent.find(({ message }) => message.type === 'setup' && toHex(message.context) === context)
  return setup?.message.type === 'setup' ? setup.message.shares.length : expect.unreachable()
}

function checkInvariants(run: Play): void {
  const { harness, rounds } = run
  const exposed = exposures(run)
  const thresholdOf = (context: string) => graphOf(harness, rosterSize(run, context)).threshold

  for (const [context, { selfSeed, maskKey }] of exposed) {
    const threshold = thresholdOf(context)
    // Below threshold nothing is unmasked: who answers has seen that many confirm.
    const confirmed = harness.clients.filter((client) => contextsOf(run, client, 'confirm').includes(context))
    expect(confirmed.length).toBeGreaterThanOrEqual(threshold)
    // I8: the server never obtains both secrets of one client; here not one share of each.
    expect([...selfSeed.keys()].filter((owner) => maskKey.has(owner))).toEqual([])
  }

  for (const client of harness.clients) {
    const unmasked = contextsOf(run, client, 'unmask')
    expect(new Set(unmasked).size).toBe(unmasked.length) // one answer a context
    const aborted = new Set(contextsOf(run, client, 'aborted'))
    expect(unmasked.filter((context) => aborted.has(context))).toEqual([])

    // I11: of all sums over one base that the server could unmask, the client's delta is in one at most.
    const sums = [...basesOf(client)].filter(([context]) => {
      const shares = exposed.get(context)?.selfSeed.get(client.id) ?? 0
      return shares > 0 && shares >= thresholdOf(context)
    })
    const bases = sums.map(([, base]) => base)
    expect(new Set(bases).size).toBe(bases.length)

    // I12: no mask, and no key of a seal, is used on two vectors.
    const keys = client.effects.flatMap((effect) =>
      effect.type === 'upload'
        ? [effect.sealKey, ...effect.masks.flatMap(({ keys }) => [keys.update, keys.counters])].map(toHex)
        : [],
    )
    expect(new Set(keys).size).toBe(keys.length)

    if (client.alive) expect(['idle', 'completed', 'aborted']).toContain(client.state.phase)
  }

  for (const { phase, survivors, sum, answers } of rounds) {
    expect(['completed', 'aborted']).toContain(phase)
    if (phase !== 'completed') continue
    // I2, I6: exactly the survivors, each once. A server that tells clients of different active sets spoils its own sum.
    if (!run.happened.includes('thin/acks')) expect(sum).toEqual(onesAt(harness, survivors))
    const least = graphOf(harness, survivors.length)
    expect(answers).toBeGreaterThanOrEqual(least.threshold)
  }
}

/** Clients whose update was in a round that came to nothing, and then in a committed one over the same base. */
function reentered({ harness, rounds }: Play): number {
  const committed = new Set(rounds.flatMap(({ survivors }) => survivors))
  return harness.clients.filter((client) => {
    const bases = [...basesOf(client).values()]
    return new Set(bases).size < bases.length && committed.has(client.index)
  }).length
}

/** More of them for a night: set FEDWEAVE_SCHEDULES. */
const SCHEDULES = Number(process.env.FEDWEAVE_SCHEDULES ?? 1500)

test('whatever the network, the server’s lies and dying clients do, no rule that keeps updates secret breaks', {
  timeout: SCHEDULES * 1000,
}, () => {
  const reached = { completed: 0, aborted: 0, recovered: 0, reentered: 0, withoutSome: 0 }
  const happened = new Set<string>()
  fc.assert(
    fc.property(plans, (plan) => {
      const run = play(plan)
      checkInvariants(run)
      for (const [i, { phase, survivors }] of run.rounds.entries()) {
        reached[phase === 'completed' ? 'completed' : 'aborted'] += 1
        if (phase === 'completed' && survivors.length < plan.clients) reached.withoutSome += 1
        if (phase === 'completed' && run.rounds[i - 1]?.phase === 'aborted') reached.recovered += 1
      }
      reached.reentered += reentered(run)
      for (const event of run.happened) happened.add(event)
    }),
    { seed: 1, numRuns: SCHEDULES },
  )
  // A fuzz that never gets there proves nothing.
  for (const [what, count] of Object.entries(reached)) expect([what, count > SCHEDULES / 10]).toEqual([what, true])
  expect([...happened].sort()).toEqual(everything)
})

test('a plan replays identically', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      expect(play(plan).trace).toEqual(play(plan).trace)
    }),
    { seed: 2, numRuns: 25 },
  )
})
