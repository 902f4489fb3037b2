import { decodeServerMessage, encodeServerMessage } from '@fedweave/aggregator'
import type { HarnessClient, RoundHarness } from '@fedweave/aggregator/testing'
import { expect, test } from 'vitest'
import type { PeerMac } from '../../aggregator/src/wire/records.ts'
import { abortsOf, byId, intercept, rewrite, sentBy } from '../unit/aggregator/cohort.ts'
import { acceptAnyConfirm, allBut, attack, cohort, pick, SMALL_SPARSE, secretOf, smallSparse } from './attack.ts'
import { Thief } from './thief.ts'
import type { Testing } from './without.ts'

type Id = HarnessClient['id']

/** Tells each client a list of survivors of its own. */
function tellLists(harness: RoundHarness, listFor: (to: HarnessClient, active: readonly Id[]) => readonly Id[]): void {
  rewrite(harness, 'survivors', (sent, to) => ({ ...sent, survivors: listFor(to, sent.survivors) }))
  acceptAnyConfirm(harness)
}

const answers = (harness: RoundHarness) => harness.clients.filter((client) => sentBy(client).includes('unmask')).length
const complaints = (harness: RoundHarness) => harness.clients.flatMap((client) => abortsOf(client).map(({ message }) => message))

test('a request cannot name a client both survivor and dropout: there is one list, and a second does not parse', () => {
  const survivors = ['0', '1', '2'].map((digit) => digit.repeat(32) as Id)
  const frame = encodeServerMessage({ type: 'survivors', context: new Uint8Array(32), survivors })
  expect(decodeServerMessage(frame)).toMatchObject({ survivors })
  const dropouts = frame.subarray(frame.length - 16 * survivors.length - 4)
  expect(() => decodeServerMessage(new Uint8Array([...frame, ...dropouts]))).toThrow(/FL_MESSAGE_MALFORMED|malformed/)
})

attack('a request whose answer holds both kinds of share of one client', {
  off: ['one-kind-of-share'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [victim] = pick(harness, 2) as [HarnessClient]
    const thief = new Thief(harness)
    expect(harness.runRound().phase).toBe('completed')
    return { stolen: thief.steal(victim), secret: secretOf(victim) }
  },
  fails: ({ stolen }) => expect(stolen).toBeUndefined(),
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

/** Two clients are told that the victim dropped out, the others that it survived. */
function twoLists(aggregator: Testing) {
  const harness = cohort(aggregator, 5)
  const [victim, ...told] = pick(harness, 4, 0, 1) as [HarnessClient, ...HarnessClient[]]
  const thief = new Thief(harness)
  tellLists(harness, (to, active) => (told.includes(to) ? active.filter((id) => id !== victim.id) : active))
  harness.runRound()
  return { stolen: thief.steal(victim), secret: secretOf(victim), complaints: complaints(harness), answers: answers(harness) }
}

attack('two lists of survivors, one with the victim and one without, under a lowered threshold', {
  off: ['threshold-above-half'],
  run: twoLists,
  fails: ({ stolen, complaints, answers }) => {
    expect(stolen).toBeUndefined()
    expect(answers).toBe(0)
    const tooFew = (count: number) => `${count} share-holders confirmed the survivors, where 4 are needed`
    expect(complaints).toEqual([tooFew(2), tooFew(2), tooFew(3), tooFew(3), tooFew(3)])
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

attack('a list of its own for each client of a sparse graph, so that all neighbours of the victim vanish for their holders', {
  off: ['confirmed-survivors'],
  run: (aggregator) => {
    const harness = cohort(aggregator, SMALL_SPARSE.clients, { graphOf: smallSparse })
    const [victim] = pick(harness, 3) as [HarnessClient]
    const thief = new Thief(harness)
    const holders = new Map<Id, readonly Id[]>()
    intercept(harness, ({ to, client, message }) => {
      if (to === 'server' && message.type === 'setup') {
        holders.set(
          client,
          message.shares.map(({ peer }) => peer),
        )
      }
      return undefined
    })
    const isNeighbour = (id: Id) =>
      id !== victim.id && (holders.get(id)?.includes(victim.id) === true || holders.get(victim.id)?.includes(id) === true)
    const vanishesFor = (id: Id, to: HarnessClient) =>
      id !== to.id && isNeighbour(id) && holders.get(id)?.includes(to.id) === true
    tellLists(harness, (to, active) => active.filter((id) => !vanishesFor(id, to)))
    harness.runRound()
    return { stolen: thief.steal(victim), secret: secretOf(victim), answers: answers(harness) }
  },
  fails: ({ stolen, answers }) => {
    expect(stolen).toBeUndefined()
    expect(answers).toBe(0)
  },
  succeeds: ({ stolen, secret }) => expect(stolen).toEqual(secret),
})

/** In place of the result the server sends these clients a list of their own, and passes on what they confirm to each other. */
function askAgain(harness: RoundHarness, clients: readonly HarnessClient[]): void {
  const survivors = clients.map(({ id }) => id).sort()
  const confirmed = new Map<Id, readonly PeerMac[]>()
  intercept(harness, (envelope) => {
    const { client, message } = envelope
    if (envelope.to === 'client' && message.type === 'result')
      return clients.some(({ id }) => id === client)
        ? [{ ...envelope, message: { type: 'survivors', context: message.context, survivors } }]
        : []
    if (envelope.to === 'client' || message.type !== 'confirm' || harness.state?.phase !== 'completed') return undefined
    confirmed.set(client, message.macs)
    if (confirmed.size < clients.length) return []
    return clients.map(({ id: to }) => {
      const macs = [...confirmed].flatMap(([peer, sent]) =>
        sent.filter(({ peer: receiver }) => receiver === to).map(({ mac }) => ({ peer, mac })),
      )
      return { to: 'client', client: to, message: { type: 'confirms', context: message.context, macs } }
    })
  })
}

attack('a second request once all have answered the first, without the victim', {
  off: ['one-answer'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [victim] = pick(harness, 1) as [HarnessClient]
    const others = allBut(harness, victim)
    const thief = new Thief(harness)
    askAgain(harness, others)
    expect(harness.runRound().phase).toBe('completed')
    const answered = others.map((client) => sentBy(client).filter((type) => type === 'unmask').length)
    return { stolen: thief.steal(victim), secret: secretOf(victim), answered }
  },
  fails: ({ stolen, answered }) => {
    expect(stolen).toBeUndefined()
    expect(answered).toEqual([1, 1, 1, 1])
  },
  succeeds: ({ stolen, secret, answered }) => {
    expect(stolen).toEqual(secret)
    expect(answered).toEqual([2, 2, 2, 2])
  },
})

attack("a list that nobody else confirmed, with the client's own MACs sent back to it", {
  off: ['directional-macs'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [last] = byId(harness).slice(-1) as [HarnessClient]
    const [victim] = allBut(harness, last) as [HarnessClient]
    tellLists(harness, (to, active) => (to === victim ? active.filter((id) => id !== last.id) : active))
    rewrite(harness, 'confirms', (sent) => ({ ...sent, macs: lastMacs(victim) }), [victim])
    harness.runRound()
    return { released: sentBy(victim).includes('unmask'), complaints: abortsOf(victim) }
  },
  fails: ({ released, complaints }) => {
    expect(released).toBe(false)
    expect(complaints).toMatchObject([{ message: '1 share-holders confirmed the survivors, where 4 are needed' }])
  },
  succeeds: ({ released }) => expect(released).toBe(true),
})

/** What this client last confirmed, under the names of those for whom it is. */
function lastMacs(client: HarnessClient) {
  const sent = client.effects.findLast((effect) => effect.type === 'send' && effect.message.type === 'confirm')
  return sent?.type === 'send' && sent.message.type === 'confirm' ? sent.message.macs : []
}
