import {
  type ClientMessage,
  type Curves,
  decode,
  type ErrorCode,
  encode,
  openSeal,
  type ServerMessage,
  seal,
  sealKey,
  sharedKey,
  toHex,
} from '@fedweave/aggregator'
import { nodeCurves } from '@fedweave/aggregator/node'
import {
  type Envelope,
  type HarnessClient,
  type HarnessOptions,
  type Network,
  RoundHarness,
  type Upload,
} from '@fedweave/aggregator/testing'
import { expect } from 'vitest'
import { type UnmaskShares, unmaskShares } from '../../../aggregator/src/wire/messages.ts'
import type { Member } from '../../../aggregator/src/wire/records.ts'

/** Client i's delta is 1 at coordinate i: a correct sum holds only zeros and ones, and a two would be a double count. */
export function oneHot(size: number) {
  return (index: number) => ({
    delta: Float32Array.from({ length: size }, (_, i) => (i === index ? 1 : 0)),
    examples: 1,
    loss: 2,
    accuracy: 0.5,
  })
}

/** Native curves that remember what they computed: cohorts made from one seed share most of that work. */
export const memoCurves: Curves = {
  name: 'memo',
  x25519Public: remember(nodeCurves.x25519Public),
  x25519: remember(nodeCurves.x25519),
  ed25519Public: remember(nodeCurves.ed25519Public),
  sign: remember(nodeCurves.sign),
  verify: remember(nodeCurves.verify),
}

function remember<A extends readonly Uint8Array[], R>(compute: (...args: A) => R): (...args: A) => R {
  const known = new Map<string, R>()
  return (...args) => {
    const key = args.map(toHex).join()
    if (!known.has(key)) known.set(key, compute(...args))
    return known.get(key) as R
  }
}

/** A cohort with one-hot updates; those of the same size share their long-term keys. */
export function cohortOf(clients: number, options: Partial<HarnessOptions> = {}): RoundHarness {
  const update = oneHot(clients)
  return new RoundHarness({ clients, seed: `cohort/${clients}`, size: clients, curves: memoCurves, update, ...options })
}

/** The sum that the round decoded, coordinate by coordinate. */
export function sumOf(harness: RoundHarness): number[] {
  const { aggregate } = harness
  if (aggregate === undefined) throw new Error('the round has no aggregate')
  return [...aggregate.pseudoGradient].map((mean) => Math.round(mean * aggregate.weight))
}

/** The one-hot sum over the clients of these indices. */
export function onesAt(harness: RoundHarness, indices: readonly number[]): number[] {
  return harness.clients.map(({ index }) => (indices.includes(index) ? 1 : 0))
}

type FromServer<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>
export type FromClient = ClientMessage | Upload

/** Makes the server say something else, or several things, to the `victims`; absent, to everybody. */
export function rewrite<T extends ServerMessage['type']>(
  harness: RoundHarness,
  type: T,
  change: (message: FromServer<T>, to: HarnessClient) => ServerMessage | readonly ServerMessage[],
  victims: readonly HarnessClient[] = harness.clients,
): void {
  intercept(harness, (envelope) => {
    if (envelope.to !== 'client' || envelope.message.type !== type) return undefined
    const to = victims.find(({ id }) => id === envelope.client)
    if (to === undefined) return undefined
    const changed = change(envelope.message as FromServer<T>, to)
    const messages: readonly ServerMessage[] = 'type' in changed ? [changed] : changed
    return messages.map((message) => ({ ...envelope, message }))
  })
}

/** Makes a client send something else, or several things. */
export function forge<T extends FromClient['type']>(
  harness: RoundHarness,
  liar: HarnessClient,
  type: T,
  change: (message: Extract<FromClient, { type: T }>) => FromClient | readonly FromClient[],
): void {
  intercept(harness, (envelope) => {
    if (envelope.to !== 'server' || envelope.message.type !== type || envelope.client !== liar.id) return undefined
    const changed = change(envelope.message as Extract<FromClient, { type: T }>)
    const messages: readonly FromClient[] = 'type' in changed ? [changed] : changed
    return messages.map((message) => ({ ...envelope, message }))
  })
}

/** What `change` leaves undefined goes on to what intercepted before. */
export function intercept(harness: RoundHarness, change: (envelope: Envelope) => readonly Envelope[] | undefined): void {
  const before: Network = harness.network
  harness.network = (envelope) => (change(envelope) ?? [envelope]).flatMap((changed) => before(changed))
}

/** Everything that this client has sent, uploads included, in order. */
export function sentBy(client: HarnessClient): string[] {
  return client.effects.flatMap((effect) =>
    effect.type === 'send' ? [effect.message.type] : effect.type === 'upload' ? ['upload'] : [],
  )
}

/** This client's rounds that ended badly. */
export function abortsOf(client: HarnessClient) {
  return client.effects.filter((effect) => effect.type === 'aborted')
}

/** The server's refusals of what this client sent. */
export function rejectsOf(harness: RoundHarness, client: HarnessClient) {
  return harness.serverEffects.flatMap((effect) =>
    effect.type === 'reject' && effect.to === client.id ? [{ code: effect.code, message: effect.message }] : [],
  )
}

export function at(harness: RoundHarness, index: number): HarnessClient {
  const client = harness.clients[index]
  expect(client).toBeDefined()
  return client as HarnessClient
}

/** In the order in which the coordinator turns to them: by id. */
export function byId(harness: RoundHarness): readonly HarnessClient[] {
  return [...harness.clients].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Runs a round in which the victim must stop before its update leaves. */
export function expectNothingUploaded(
  harness: RoundHarness,
  victim: HarnessClient,
  code: ErrorCode,
  message: string | RegExp,
): void {
  harness.runRound()
  const text = typeof message === 'string' ? message : expect.stringMatching(message)
  expect(abortsOf(victim)).toEqual([{ type: 'aborted', code, message: text, uploaded: false }])
  expect(sentBy(victim)).not.toContain('upload')
  expect(sentBy(victim)).not.toContain('unmask')
  expect(victim.spent.size).toBe(0)
}

export const dropped = <T extends { readonly peer: string }>(items: readonly T[], ...peers: readonly HarnessClient[]) =>
  items.filter(({ peer }) => !peers.some(({ id }) => id === peer))

export function keyOf(members: readonly Member[], client: HarnessClient): Uint8Array {
  return members.find(({ id }) => id === client.id)?.maskKey as Uint8Array
}

export function withKey(members: readonly Member[], client: HarnessClient, maskKey: Uint8Array): readonly Member[] {
  return members.map((member) => (member.id === client.id ? { ...member, maskKey } : member))
}

/** The key under which this client seals to the coordinator. */
export function clientSealKey(
  harness: RoundHarness,
  client: HarnessClient,
  context: Uint8Array,
  purpose: 'upload' | 'unmask',
): Uint8Array {
  const shared = sharedKey(memoCurves, client.env.channelSecret, harness.server.coordinatorKey) as Uint8Array
  return sealKey(shared, context, purpose, client.id)
}

/** An update of this client that is well sealed, but not the one that it masked. */
export function otherUpload(harness: RoundHarness, client: HarnessClient, context: Uint8Array): FromClient {
  const key = clientSealKey(harness, client, context, 'upload')
  return { type: 'upload', context, sealed: seal(key, new Uint8Array(harness.format.plainBytes)) }
}

/** Opens the client's answer, changes what it gives away, and seals it again. */
export function liarAnswers(harness: RoundHarness, liar: HarnessClient, change: (shares: UnmaskShares) => UnmaskShares): void {
  forge(harness, liar, 'unmask', (unmask) => {
    const key = clientSealKey(harness, liar, unmask.context, 'unmask')
    const plain = openSeal(key, unmask.sealed, unmask.sealed.length - 16) ?? expect.unreachable()
    return { ...unmask, sealed: seal(key, encode(unmaskShares, change(decode(unmaskShares, plain)))) }
  })
}

/** Whose share-holder the server named, and for whose share. */
export function blamesOf(harness: RoundHarness) {
  return harness.serverEffects.flatMap((effect) =>
    effect.type === 'blame' ? [{ holder: effect.holder, owner: effect.owner }] : [],
  )
}
