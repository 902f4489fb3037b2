import { naclSecretbox, SECRETBOX_NONCE_BYTES, SECRETBOX_TAG_BYTES, type Secretbox } from './secretbox.ts'

/**
 * The seal of an upload: NaCl secretbox frames of 64 KiB of plaintext. Frame i has the nonce u64(i), big-endian, then 1
 * for the last frame and 0 otherwise, then zeros; the key is used for one upload only. The final flag and the exact
 * length make a cut or lengthened upload fail.
 */
const FRAME_BYTES = 65_536
const SEALED_FRAME_BYTES = FRAME_BYTES + SECRETBOX_TAG_BYTES

/** Bytes that `seal` gives for a plaintext of `length` bytes; at least one frame. */
export function sealedBytes(length: number): number {
  return length + framesOf(length) * SECRETBOX_TAG_BYTES
}

/** `into`: where to put it, `sealedBytes(plaintext.length)` bytes. */
export function seal(
  key: Uint8Array,
  plaintext: Uint8Array,
  secretbox: Secretbox = naclSecretbox,
  into?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const out = into ?? new Uint8Array(sealedBytes(plaintext.length))
  const frames = framesOf(plaintext.length)
  for (let i = 0; i < frames; i++) {
    const frame = plaintext.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)
    const box = out.subarray(i * SEALED_FRAME_BYTES, (i + 1) * SEALED_FRAME_BYTES)
    secretbox.sealInto(box, frame, nonceOf(i, i === frames - 1), key)
  }
  return out
}

/** The plaintext of exactly `length` bytes, or `undefined` when any frame is missing, changed or not sealed with `key`. */
export function openSeal(
  key: Uint8Array,
  sealed: Uint8Array,
  length: number,
  secretbox: Secretbox = naclSecretbox,
  into?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | undefined {
  if (sealed.length !== sealedBytes(length)) return undefined
  const out = into ?? new Uint8Array(length)
  const frames = framesOf(length)
  for (let i = 0; i < frames; i++) {
    const box = sealed.subarray(i * SEALED_FRAME_BYTES, (i + 1) * SEALED_FRAME_BYTES)
    const frame = out.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)
    if (!secretbox.openInto(frame, box, nonceOf(i, i === frames - 1), key)) return undefined
  }
  return out
}

function framesOf(length: number): number {
  return Math.max(1, Math.ceil(length / FRAME_BYTES))
}

function nonceOf(index: number, final: boolean): Uint8Array {
  const nonce = new Uint8Array(SECRETBOX_NONCE_BYTES)
  new DataView(nonce.buffer).setBigUint64(0, BigInt(index))
  nonce[8] = final ? 1 : 0
  return nonce
}
