import { concat, utf8 } from '../core/bytes.ts'
import { type ClientId, clientIdBytes } from '../core/ids.ts'
import type { Curves } from '../crypto/curves.ts'
import { hkdfEach } from '../crypto/kdf.ts'
import type { Accumulator } from '../crypto/prg.ts'
import type { Member } from '../wire/records.ts'

/** PRG keys of one mask, one for each segment of the update: two vectors never share a stream. */
export interface MaskKeys {
  readonly update: Uint8Array
  readonly counters: Uint8Array
}

type Masked = Pick<Member, 'id' | 'maskKey'>

export interface SignedMask {
  readonly sign: 1 | -1
  readonly keys: MaskKeys
}

/** The two parts of an update that are masked and summed apart. */
export interface Segments<T> {
  readonly update: T
  readonly counters: T
}

const SEGMENTS = ['update', 'counters'] as const

/** PRG keys of a client's self mask. */
export function selfMask(seed: Uint8Array, context: Uint8Array, activeDigest: Uint8Array, id: ClientId): MaskKeys {
  return maskKeys(seed, context, activeDigest, concat(utf8('fw1/self'), clientIdBytes(id)))
}

/**
 * The mask that `mine` adds for its pair with `theirs`: the lower id adds the stream, the higher subtracts it, so that a
 * sum over both holds neither. `secret` is the mask secret of `mine`. `undefined` when the peer's key has low order.
 */
export function pairMask(
  curves: Curves,
  secret: Uint8Array,
  mine: Masked,
  theirs: Masked,
  context: Uint8Array,
  activeDigest: Uint8Array,
): SignedMask | undefined {
  const shared = curves.x25519(secret, theirs.maskKey)
  if (shared === undefined) return undefined
  const lower = mine.id < theirs.id
  const [lo, hi] = lower ? [mine, theirs] : [theirs, mine]
  const keys = maskKeys(shared, context, activeDigest, concat(utf8('fw1/pair'), lo.maskKey, hi.maskKey))
  return { sign: lower ? 1 : -1, keys }
}

function maskKeys(ikm: Uint8Array, context: Uint8Array, activeDigest: Uint8Array, info: Uint8Array): MaskKeys {
  const infos = SEGMENTS.map((segment) => concat(info, utf8(segment)))
  const [update, counters] = hkdfEach(ikm, concat(context, activeDigest), infos) as [Uint8Array, Uint8Array]
  return { update, counters }
}

/** Adds every mask to both segments, or takes it away with `direction` -1. */
export function applyMasksInto(segments: Segments<Accumulator>, masks: Iterable<SignedMask>, direction: 1 | -1): void {
  for (const { sign, keys } of masks) {
    const adds = sign * direction > 0
    for (const segment of SEGMENTS) {
      if (adds) segments[segment].addStream(keys[segment])
      else segments[segment].subtractStream(keys[segment])
    }
  }
}
