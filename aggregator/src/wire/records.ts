import { BOX_OVERHEAD } from '../crypto/box.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from '../crypto/curves.ts'
import { HASH_BYTES, MAC_BYTES } from '../crypto/kdf.ts'
import { MAX_SHARES } from '../crypto/shamir.ts'
import { bytes, clientIdCodec, fixed, list, struct, u16, u64, type ValueOf } from './codec.ts'

/** Most cohorts of one round. */
export const MAX_COHORTS = 64
/** Most clients in one cohort. */
export const MAX_COHORT = 10_000
export const ROUND_NONCE_BYTES = 16
export const hash32 = fixed(HASH_BYTES)
export const key32 = fixed(KEY_BYTES)
export const signature64 = fixed(SIGNATURE_BYTES)

/** The enrolment key's statement that an identity may take part. `notAfter`: Unix seconds. */
export const certificate = struct({ identityKey: key32, notAfter: u64, signature: signature64 })
export type Certificate = ValueOf<typeof certificate>

/** One client in a round's roster; `channelSignature` is its identity's over its channel key. */
export const rosterEntry = struct({
  certificate,
  channelKey: key32,
  channelSignature: signature64,
  nonce: fixed(ROUND_NONCE_BYTES),
})
export type RosterEntry = ValueOf<typeof rosterEntry>

/** Places in a round's roster, which is sorted by id. */
export const places = (max: number) => list(u16, max)

/** One client that shared its keys in time: an item of U1. `holders`: its share-holders' places; empty in a complete graph. */
export const member = struct({ id: clientIdCodec, maskKey: key32, holders: places(MAX_SHARES) })
export type Member = ValueOf<typeof member>

/** A MAC on its way: `peer` is the receiver when a client sends it, the sender when the server relays it. */
export const peerMac = struct({ peer: clientIdCodec, mac: fixed(MAC_BYTES) })
export type PeerMac = ValueOf<typeof peerMac>

/** The dealer's commitments to the two shares of one holder. */
export const shareCommitments = struct({ maskKeyShare: hash32, selfSeedShare: hash32 })
export type ShareCommitments = ValueOf<typeof shareCommitments>

/** What a dealer boxes for one holder; type and parties are checked after opening. */
export const shareBox = struct({
  kind: fixed(4),
  from: clientIdCodec,
  to: clientIdCodec,
  context: hash32,
  maskKey: key32,
  maskKeyShare: fixed(KEY_BYTES),
  selfSeedShare: fixed(KEY_BYTES),
})
/** Bytes of a sealed `shareBox`. */
export const SHARE_BOX_BYTES = BOX_OVERHEAD + 4 + 16 + 16 + 32 + 32 + 32 + 32

export const dealtShare = struct({ peer: clientIdCodec, box: bytes(SHARE_BOX_BYTES), commitments: shareCommitments })
export type DealtShare = ValueOf<typeof dealtShare>
