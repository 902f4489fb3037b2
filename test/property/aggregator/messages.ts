import { type ClientMessage, clientId, type JournalBody, MAX_SHARES, type ServerMessage, toHex } from '@fedweave/aggregator'
import fc from 'fast-check'
import { SHARE_BOX_BYTES } from '../../../aggregator/src/wire/records.ts'

type Of<M extends { type: string }, T> = Extract<M, { type: T }>
/** One arbitrary for each message type: a new type fails to compile here. */
type Arbitraries<M extends { type: string }> = { readonly [T in M['type']]: fc.Arbitrary<Omit<Of<M, T>, 'type'>> }

const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const id = fixed(16).map((bytes) => clientId(toHex(bytes)))
const round = fc.oneof(fc.nat(10), fc.maxSafeNat())
const text = (maxLength: number) => fc.string({ unit: 'grapheme-ascii', maxLength })
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 })
const document = fc.uint8Array({ maxLength: 60 })
const context = fixed(32)

const certificate = fc.record({ identityKey: fixed(32), notAfter: round, signature: fixed(64) })
const entry = fc.record({ certificate, channelKey: fixed(32), channelSignature: fixed(64), nonce: fixed(16) })
const places = fc.array(fc.nat(65_535), { maxLength: 3 })
const member = fc.record({ id, maskKey: fixed(32), holders: places })
const macs = list(fc.record({ peer: id, mac: fixed(16) }))
const commitments = fc.record({ maskKeyShare: fixed(32), selfSeedShare: fixed(32) })
const dealt = fc.record({ peer: id, box: fc.uint8Array({ maxLength: SHARE_BOX_BYTES }), commitments })

const fromClient: Arbitraries<ClientMessage> = {
  hello: fc.record({
    versions: fc.array(text(32), { maxLength: 8 }),
    task: text(1024),
    certificate,
    channelKey: fixed(32),
    channelSignature: fixed(64),
    proof: fixed(64),
  }),
  available: fc.record({}),
  ready: fc.record({ round, nonce: fixed(16) }),
  decline: fc.record({ round, code: text(40) }),
  setup: fc.record({ context, maskKey: fixed(32), selfSeedCommitment: fixed(32), shares: list(dealt) }),
  ack: fc.record({ context, macs }),
  confirm: fc.record({ context, macs, signature: fixed(64) }),
  unmask: fc.record({ context, sealed: fc.uint8Array({ maxLength: 200 }) }),
  aborted: fc.record({ context, macs }),
}

const fromServer: Arbitraries<ServerMessage> = {
  challenge: fc.record({
    versions: fc.array(text(32), { maxLength: 8 }),
    nonce: fixed(32),
    coordinatorKey: fixed(32),
    operatorKey: fixed(32),
    signature: fixed(64),
  }),
  welcome: fc.record({
    version: text(20),
    session: fixed(32),
    config: document,
    head: document,
    activeContext: fc.option(context, { nil: undefined }),
  }),
  refusal: fc.record({ code: text(40), message: text(200), cure: text(200), fatal: fc.nat(255) }),
  invite: fc.record({ round, modelHash: fixed(32), deadlineMs: fc.nat(2 ** 32 - 1) }),
  start: fc.record({ round, roster: list(entry), modelHash: fixed(32), configHash: fixed(32), head: document }),
  relay: fc.record({ context, members: list(member), shares: list(dealt) }),
  acks: fc.record({ context, active: places, macs }),
  survivors: fc.record({ context, survivors: list(id) }),
  confirms: fc.record({ context, macs }),
  result: fc.record({ context, entry: document }),
  abort: fc.record({ round, code: text(40), message: text(200) }),
  aborts: fc.record({ context, macs }),
  finished: fc.record({ round }),
}

function messages<M extends { type: string }>(of: Arbitraries<M>): fc.Arbitrary<M> {
  const types = Object.keys(of) as M['type'][]
  return fc.oneof(...types.map((type) => of[type].map((fields) => ({ type, ...fields }) as unknown as M)))
}

export const clientMessages = messages(fromClient)
export const serverMessages = messages(fromServer)
export const clientTypes = Object.keys(fromClient)
export const serverTypes = Object.keys(fromServer)

const cohort = fc.record({
  roster: list(entry),
  members: list(member),
  active: places,
  survivors: list(id),
  transcripts: list(fc.record({ id, signature: fixed(64) })),
})
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })

export const journalBodies: fc.Arbitrary<JournalBody> = fc.record({
  version: fc.nat(255),
  index: round,
  task: text(64),
  round,
  at: round,
  previous: fixed(32),
  configHash: fixed(32),
  coordinatorKey: fixed(32),
  modelBefore: fixed(32),
  modelAfter: fixed(32),
  strategyState: fixed(32),
  aggregates: list(fixed(32)),
  cohorts: list(cohort),
  weight: round,
  training: maybe(fc.record({ loss: finite, accuracy: finite, clippedFraction: finite })),
  uploadBytes: round,
  evaluation: maybe(
    fc.record({
      examples: fc.nat(2 ** 32 - 1),
      loss: finite,
      accuracy: maybe(finite),
      recall: maybe(finite),
      rmse: maybe(finite),
      mae: maybe(finite),
    }),
  ),
  privacy: maybe(fc.record({ epsilon: finite, delta: finite })),
})

/** A `setup` for as many share-holders as there can be, whose every part has its largest size. */
export const largestSetup: ClientMessage = {
  type: 'setup',
  context: new Uint8Array(32),
  maskKey: new Uint8Array(32),
  selfSeedCommitment: new Uint8Array(32),
  shares: Array.from({ length: MAX_SHARES }, () => ({
    peer: clientId('0'.repeat(32)),
    box: new Uint8Array(SHARE_BOX_BYTES),
    commitments: { maskKeyShare: new Uint8Array(32), selfSeedShare: new Uint8Array(32) },
  })),
}
