import { MAX_SHARES } from '../crypto/shamir.ts'
import {
  ascii,
  bytes,
  clientIdCodec,
  decode,
  encode,
  fixed,
  list,
  optional,
  struct,
  u8,
  u32,
  u64,
  union,
  type ValueOf,
} from './codec.ts'
import {
  certificate,
  dealtShare,
  hash32,
  key32,
  MAX_COHORT,
  member,
  peerMac,
  places,
  ROUND_NONCE_BYTES,
  rosterEntry,
  signature64,
} from './records.ts'

const versions = list(ascii(32), 8)
const text = ascii(1024)
const macs = list(peerMac, MAX_COHORT)
/** A signed task config, or a signed journal entry with its roster. */
const document = bytes(16 * 1024 * 1024)

/** Longest message that a client sends: `setup` of the largest cohort. The server refuses longer frames unread. */
export const MAX_CLIENT_MESSAGE_BYTES = 81_920

/** The shares that an unmask answer gives away: of the self seed for survivors, of the mask key for dropouts. */
export const unmaskShares = struct({
  selfSeed: list(struct({ owner: clientIdCodec, share: key32 }), MAX_COHORT),
  maskKey: list(struct({ owner: clientIdCodec, share: key32 }), MAX_COHORT),
})
export type UnmaskShares = ValueOf<typeof unmaskShares>

/** Client to server, over the control plane. */
export const clientMessage = union({
  hello: [1, struct({ versions, task: text, certificate, channelKey: key32, channelSignature: signature64, proof: signature64 })],
  available: [2, struct({})],
  ready: [3, struct({ round: u64, nonce: fixed(ROUND_NONCE_BYTES) })],
  decline: [4, struct({ round: u64, code: text })],
  setup: [5, struct({ context: hash32, maskKey: key32, selfSeedCommitment: hash32, shares: list(dealtShare, MAX_SHARES) })],
  ack: [6, struct({ context: hash32, macs })],
  confirm: [7, struct({ context: hash32, macs, signature: signature64 })],
  unmask: [8, struct({ context: hash32, sealed: bytes(MAX_CLIENT_MESSAGE_BYTES) })],
  aborted: [9, struct({ context: hash32, macs })],
})
export type ClientMessage = ValueOf<typeof clientMessage>

/** Server to client, over the control plane. */
export const serverMessage = union({
  challenge: [65, struct({ versions, nonce: key32, coordinatorKey: key32, operatorKey: key32, signature: signature64 })],
  welcome: [66, struct({ version: text, session: key32, config: document, head: document, activeContext: optional(hash32) })],
  refusal: [67, struct({ code: text, message: text, cure: text, fatal: u8 })],
  invite: [68, struct({ round: u64, modelHash: hash32, deadlineMs: u32 })],
  start: [
    69,
    struct({ round: u64, roster: list(rosterEntry, MAX_COHORT), modelHash: hash32, configHash: hash32, head: document }),
  ],
  relay: [70, struct({ context: hash32, members: list(member, MAX_COHORT), shares: list(dealtShare, MAX_COHORT) })],
  acks: [71, struct({ context: hash32, active: places(MAX_COHORT), macs })],
  survivors: [72, struct({ context: hash32, survivors: list(clientIdCodec, MAX_COHORT) })],
  confirms: [73, struct({ context: hash32, macs })],
  result: [74, struct({ context: hash32, entry: document })],
  abort: [75, struct({ round: u64, code: text, message: text })],
  aborts: [76, struct({ context: hash32, macs })],
  finished: [77, struct({ round: u64 })],
})
export type ServerMessage = ValueOf<typeof serverMessage>

export const encodeClientMessage = (message: ClientMessage): Uint8Array => encode(clientMessage, message)
export const decodeClientMessage = (raw: Uint8Array): ClientMessage => decode(clientMessage, raw)
export const encodeServerMessage = (message: ServerMessage): Uint8Array => encode(serverMessage, message)
export const decodeServerMessage = (raw: Uint8Array): ServerMessage => decode(serverMessage, raw)
