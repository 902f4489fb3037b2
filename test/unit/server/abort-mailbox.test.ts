import { type ClientId, fromHex, toHex } from '@fedweave/aggregator'
import { expect, test } from 'vitest'
import { AbortMailbox } from '../../../server/src/coordinator/abort-mailbox.ts'

const idOf = (n: number) => n.toString(16).padStart(32, '0') as ClientId
const contextOf = (n: number) => new Uint8Array(32).fill(n)
const macOf = (n: number) => new Uint8Array(32).fill(n)
const never = () => false

function statement(context: number, ...peers: number[]) {
  return { context: contextOf(context), macs: peers.map((peer) => ({ peer: idOf(peer), mac: macOf(peer) })) }
}

/** What the mailbox has for a client: context and senders. */
function heldFor(mailbox: AbortMailbox, to: number, isRunning: (context: Uint8Array) => boolean = never) {
  return mailbox.messagesFor(idOf(to), isRunning).map((message) => {
    if (message.type !== 'aborts') throw new Error(message.type)
    return { context: message.context[0], from: message.macs.map(({ peer }) => fromHex(peer, 16)[15]) }
  })
}

test('each client gets what was said to it, all senders on one context in one message', () => {
  const mailbox = new AbortMailbox()
  expect(mailbox.post(idOf(1), statement(7, 2, 3))).toBe(true)
  expect(mailbox.post(idOf(2), statement(7, 1, 3))).toBe(true)
  expect(mailbox.post(idOf(2), statement(8, 3))).toBe(true)
  expect(heldFor(mailbox, 3)).toEqual([
    { context: 7, from: [1, 2] },
    { context: 8, from: [2] },
  ])
  expect(heldFor(mailbox, 1)).toEqual([{ context: 7, from: [2] }])
  expect(heldFor(mailbox, 4)).toEqual([])
  const [message] = mailbox.messagesFor(idOf(1), never)
  expect(message?.type === 'aborts' && toHex(message.macs[0]?.mac as Uint8Array)).toBe('01'.repeat(32))
})

test('a statement that is repeated is not new, and what was said first stands', () => {
  const mailbox = new AbortMailbox()
  mailbox.post(idOf(1), statement(7, 2))
  expect(mailbox.post(idOf(1), statement(7, 3))).toBe(false)
  expect(heldFor(mailbox, 2)).toEqual([{ context: 7, from: [1] }])
  expect(heldFor(mailbox, 3)).toEqual([])
})

test('a statement on a round that still runs is held back', () => {
  const mailbox = new AbortMailbox()
  mailbox.post(idOf(1), statement(7, 2))
  expect(heldFor(mailbox, 2, (context) => context[0] === 7)).toEqual([])
  expect(heldFor(mailbox, 2, (context) => context[0] === 8)).toHaveLength(1)
})

test('the eight newest statements of a client are kept, and none once a model was committed', () => {
  const mailbox = new AbortMailbox()
  for (let context = 1; context <= 9; context++) mailbox.post(idOf(1), statement(context, 2))
  expect(heldFor(mailbox, 2).map(({ context }) => context)).toEqual([9, 8, 7, 6, 5, 4, 3, 2])
  mailbox.clear()
  expect(heldFor(mailbox, 2)).toEqual([])
  expect(mailbox.post(idOf(1), statement(9, 2))).toBe(true)
})

test('250,000 MACs are kept, those of the clients that spoke last', () => {
  const mailbox = new AbortMailbox()
  const peers = Array.from({ length: 10_000 }, (_, peer) => 1000 + peer)
  for (let from = 0; from < 25; from++) mailbox.post(idOf(from), statement(7, ...peers))
  expect(heldFor(mailbox, 1000)[0]?.from).toEqual(Array.from({ length: 25 }, (_, from) => from))
  mailbox.post(idOf(25), statement(7, 1000))
  expect(heldFor(mailbox, 1000)[0]?.from).toEqual(Array.from({ length: 25 }, (_, from) => from + 1))
})
