import type { ServerMessage } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import * as testing from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import type { Member } from '../../aggregator/src/wire/records.ts'
import { abortsOf, dropped, intercept, rewrite, sentBy } from '../unit/aggregator/cohort.ts'
import { acceptAnyConfirm, allBut, attack, cohort, pick, SMALL_SPARSE, secretOf, smallSparse } from './attack.ts'
import { Thief } from './thief.ts'
import type { Testing } from './without.ts'

type Relay = Extract<ServerMessage, { type: 'relay' }>

/** Shows the victims, absent everybody, a mask key of the server's own in place of each of these clients'. */
function substitute(
  harness: RoundHarness,
  thief: Thief,
  clients: readonly HarnessClient[],
  victims: readonly HarnessClient[] = harness.clients,
): void {
  const keys = new Map(clients.map(({ id }, i) => [id, thief.ownKey(i + 1)]))
  const members = (relay: Relay) => relay.members.map((member) => ({ ...member, maskKey: keys.get(member.id) ?? member.maskKey }))
  rewrite(harness, 'relay', (relay) => ({ ...relay, members: members(relay) }), victims)
}

const outcome = (thief: Thief, victim: HarnessClient) => ({
  stolen: thief.steal(victim),
  secret: secretOf(victim),
  complaints: abortsOf(victim).map(({ message, uploaded }) => ({ message, uploaded })),
})

attack('the server relays mask keys of its own to one client', {
  off: ['mask-keys-authenticated'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 6)
    const [victim] = pick(harness, 0) as [HarnessClient]
    const thief = new Thief(harness)
    substitute(harness, thief, allBut(harness, victim), [victim])
    harness.runRound()
    return outcome(thief, victim)
  },
  fails: ({ stolen, complaints }) => {
    expect(stolen).toBeUndefined()
    expect(complaints).toMatchObject([{ message: expect.stringMatching(/^the ack of client/), uploaded: false }])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

const place = (harness: RoundHarness, client: HarnessClient) =>
  harness.clients
    .map(({ id }) => id)
    .sort()
    .indexOf(client.id)

/** Who chose this client as share-holder, and whom it chose, by what it was relayed. */
function edgesOf(harness: RoundHarness, members: readonly Member[], client: HarnessClient) {
  const own = place(harness, client)
  const mine = members.find(({ id }) => id === client.id) as Member
  const others = allBut(harness, client)
  const chose = others.filter(({ id }) => members.find((member) => member.id === id)?.holders.includes(own))
  return { chose, chosen: others.filter((other) => mine.holders.includes(place(harness, other))) }
}

function sparse(aggregator: Testing) {
  const harness = cohort(aggregator, SMALL_SPARSE.clients, { graphOf: smallSparse })
  return { harness, victim: harness.clients[0] as HarnessClient }
}

/** A round that will take the course of an undisturbed one, and who in it will choose the victim, and whom it will choose. */
function foreseen(aggregator: Testing) {
  const { harness: scout, victim: same } = sparse(aggregator)
  let edges = { chose: [] as HarnessClient[], chosen: [] as HarnessClient[] }
  intercept(scout, ({ to, client, message }) => {
    if (to === 'client' && client === same.id && message.type === 'relay') edges = edgesOf(scout, message.members, same)
    return undefined
  })
  scout.runRound()
  const { harness, victim } = sparse(aggregator)
  const here = (clients: readonly HarnessClient[]) => pick(harness, ...clients.map(({ index }) => index))
  const chose = here(edges.chose)
  return { harness, victim, chose, outOnly: here(edges.chosen).filter((client) => !chose.includes(client)) }
}

test('the server and everybody who chose the victim, or whom it chose but one, learn nothing from an undisturbed round', () => {
  for (const more of [false, true]) {
    const { harness, victim, chose, outOnly } = foreseen(testing)
    const thief = new Thief(harness, more ? [...chose, ...outOnly.slice(1)] : chose)
    expect(harness.runRound().phase).toBe('completed')
    expect(outOnly.length).toBeGreaterThan(1)
    expect(thief.steal(victim)).toBeUndefined()
  }
})

/**
 * Shows the victim keys of the server's on all of its out-edges, where no box authenticates them; whoever chose the victim is
 * an accomplice. `withheld`: the acks of its holders do not reach it.
 */
function allOutEdges(aggregator: Testing, withheld: boolean) {
  const { harness, victim, chose, outOnly } = foreseen(aggregator)
  const thief = new Thief(harness, chose)
  substitute(harness, thief, outOnly, [victim])
  // What the victim acknowledges is a U1 of its own, which nobody else may see.
  if (withheld) rewrite(harness, 'acks', (acks, to) => ({ ...acks, macs: to === victim ? [] : dropped(acks.macs, victim) }))
  harness.runRound()
  return outcome(thief, victim)
}

attack("a mask key of the server's own on every out-edge of a client in a sparse graph", {
  off: ['mask-keys-authenticated'],
  run: (aggregator) => allOutEdges(aggregator, false),
  fails: ({ stolen, complaints }) => {
    expect(stolen).toBeUndefined()
    expect(complaints).toMatchObject([{ message: expect.stringMatching(/^the ack of client/), uploaded: false }])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack("a mask key of the server's own on every out-edge of a client in a sparse graph, its holders' acks withheld", {
  off: ['enough-acks', 'no-key-on-trust'],
  run: (aggregator) => allOutEdges(aggregator, true),
  fails: ({ stolen, complaints }) => {
    expect(stolen).toBeUndefined()
    expect(complaints).toEqual([{ message: '1 share-holders acknowledged their shares, where 4 are needed', uploaded: false }])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack("a mask key of the server's own on one out-edge, shown to all, where the client's other neighbours are accomplices", {
  off: ['no-key-on-trust'],
  run: (aggregator) => {
    const { harness, victim, chose, outOnly } = foreseen(aggregator)
    const [honest, ...corrupt] = outOnly as [HarnessClient, ...HarnessClient[]]
    const thief = new Thief(harness, [...chose, ...corrupt])
    substitute(harness, thief, [honest])
    // The honest one sees it and leaves; the server says that it acknowledged.
    rewrite(harness, 'acks', (acks) => ({ ...acks, active: harness.clients.map((_, i) => i) }))
    acceptAnyConfirm(harness)
    harness.runRound()
    return { ...outcome(thief, victim), honest }
  },
  fails: ({ stolen, complaints, honest }) => {
    expect(stolen).toBeUndefined()
    expect(complaints).toEqual([{ message: `nothing authenticates the mask key of client ${honest.id}`, uploaded: false }])
    expect(abortsOf(honest)).toMatchObject([{ message: "U1 lacks this client's own mask key" }])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack('in a sparse graph the boxes of those who chose a client are suppressed, and their mask keys are the server’s', {
  off: ['every-box-there', 'enough-acks', 'no-key-on-trust'],
  run: (aggregator) => {
    const { harness, victim } = sparse(aggregator)
    const thief = new Thief(harness)
    substitute(harness, thief, allBut(harness, victim), [victim])
    rewrite(harness, 'relay', (relay) => ({ ...relay, shares: [] }), [victim])
    rewrite(harness, 'acks', (acks) => ({ ...acks, macs: [] }), [victim])
    harness.runRound()
    return outcome(thief, victim)
  },
  fails: ({ stolen, complaints }) => {
    expect(stolen).toBeUndefined()
    const message = 'the relay does not hold one box of each client of U1 that named this client as share-holder'
    expect(complaints).toEqual([{ message, uploaded: false }])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack('a second relay with another U1, so that share-holders vouch for two of them', {
  off: ['one-relay'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [left] = pick(harness, 4) as [HarnessClient]
    const others = allBut(harness, left)
    const without = (relay: Relay): Relay => ({
      ...relay,
      members: relay.members.filter(({ id }) => id !== left.id),
      shares: relay.shares.filter(({ peer }) => peer !== left.id),
    })
    rewrite(harness, 'relay', (relay) => [relay, without(relay)], others)
    harness.runRound()
    const acks = others.map((client) => sentBy(client).filter((type) => type === 'ack').length)
    return { acks, complaints: others.map((client) => abortsOf(client)[0]) }
  },
  fails: ({ acks, complaints }) => {
    expect(acks).toEqual([1, 1, 1, 1])
    const message = 'the server sent two different "relay" messages in one round'
    for (const complaint of complaints) expect(complaint).toMatchObject({ message, uploaded: false })
  },
  succeeds: ({ acks }) => expect(acks).toEqual([2, 2, 2, 2]), // threshold 4, for either
})
