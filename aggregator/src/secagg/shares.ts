import { equalBytes, utf8 } from '../core/bytes.ts'
import type { Entropy } from '../core/entropy.ts'
import type { ClientId } from '../core/ids.ts'
import { openBox, sealBox } from '../crypto/box.ts'
import { hash } from '../crypto/kdf.ts'
import { decode, encode } from '../wire/codec.ts'
import { type Member, type ShareCommitments, shareBox } from '../wire/records.ts'

/** The shares that one dealer gave to one holder. */
export interface HeldShares {
  readonly maskKeyShare: Uint8Array
  readonly selfSeedShare: Uint8Array
}

export type ShareKind = 'mask-key' | 'self-seed'

/** Binds a dealer to one share of one holder; shares are uniform, so the hash hides them. */
export function shareCommitment(
  context: Uint8Array,
  dealer: ClientId,
  holder: ClientId,
  kind: ShareKind,
  share: Uint8Array,
): Uint8Array {
  return hash('fw1/share', context, dealer, holder, kind, share)
}

export function commitTo(context: Uint8Array, dealer: ClientId, holder: ClientId, shares: HeldShares): ShareCommitments {
  return {
    maskKeyShare: shareCommitment(context, dealer, holder, 'mask-key', shares.maskKeyShare),
    selfSeedShare: shareCommitment(context, dealer, holder, 'self-seed', shares.selfSeedShare),
  }
}

export function commitmentsHold(
  commitments: ShareCommitments,
  context: Uint8Array,
  dealer: ClientId,
  holder: ClientId,
  shares: HeldShares,
): boolean {
  const expected = commitTo(context, dealer, holder, shares)
  return (
    equalBytes(expected.maskKeyShare, commitments.maskKeyShare) && equalBytes(expected.selfSeedShare, commitments.selfSeedShare)
  )
}

/** Binds a dealer to its self seed: a rebuilt seed that differs would leave its mask in the sum unseen. */
export function seedCommitment(context: Uint8Array, dealer: ClientId, seed: Uint8Array): Uint8Array {
  return hash('fw1/seed', context, dealer, seed)
}

const KIND = utf8('fw1s')

export function boxShares(
  key: Uint8Array,
  context: Uint8Array,
  dealer: Member,
  holder: ClientId,
  shares: HeldShares,
  entropy: Entropy,
): Uint8Array {
  const plain = encode(shareBox, { kind: KIND, from: dealer.id, to: holder, context, maskKey: dealer.maskKey, ...shares })
  return sealBox(key, plain, entropy)
}

/** The shares, if the box was made by `dealer` for `holder` in this context and names the dealer's mask key. */
export function openShares(
  key: Uint8Array,
  box: Uint8Array,
  context: Uint8Array,
  dealer: Member,
  holder: ClientId,
): HeldShares | undefined {
  const plain = openBox(key, box)
  if (plain === undefined) return undefined
  const opened = decodeOrUndefined(plain)
  const ours =
    opened !== undefined &&
    equalBytes(opened.kind, KIND) &&
    opened.from === dealer.id &&
    opened.to === holder &&
    equalBytes(opened.context, context) &&
    equalBytes(opened.maskKey, dealer.maskKey)
  return ours ? { maskKeyShare: opened.maskKeyShare, selfSeedShare: opened.selfSeedShare } : undefined
}

function decodeOrUndefined(plain: Uint8Array) {
  try {
    return decode(shareBox, plain)
  } catch {
    return undefined // a dealer's fault, told apart by the caller
  }
}
