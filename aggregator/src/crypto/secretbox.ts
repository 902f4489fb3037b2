import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import nacl from 'tweetnacl'

/**
 * NaCl's secretbox, XSalsa20 and Poly1305: the tag of 16 bytes, then the ciphertext. `naclSecretbox` runs everywhere; a
 * platform may bring a faster one with the same bytes (`@fedweave/aggregator/node`). `secretboxContract` in
 * `@fedweave/aggregator/testing` checks one.
 */
export interface Secretbox {
  readonly name: string
  /**
   * Fills `box`, which is longer than `plaintext` by the tag and does not overlap it. `nonce` has 24 bytes and is used once
   * under `key`, which has 32.
   */
  sealInto(box: Uint8Array, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  /**
   * Fills `plaintext`, which is shorter than `box` by the tag and does not overlap it; false when the box was not made so, or
   * was changed, and then what `plaintext` holds is of no use.
   */
  openInto(plaintext: Uint8Array, box: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
}

export const SECRETBOX_NONCE_BYTES = nacl.secretbox.nonceLength
export const SECRETBOX_TAG_BYTES = nacl.secretbox.overheadLength

export const naclSecretbox: Secretbox = {
  name: 'tweetnacl',
  sealInto: (box, plaintext, nonce, key) => box.set(nacl.secretbox(plaintext, nonce, key)),
  openInto: (plaintext, box, nonce, key) => fill(plaintext, nacl.secretbox.open(box, nonce, key)),
}

/** Plain JavaScript as well, two to four times as fast on frames of 64 KiB. */
export const nobleSecretbox: Secretbox = {
  name: 'noble',
  sealInto: (box, plaintext, nonce, key) => box.set(xsalsa20poly1305(key, nonce).encrypt(plaintext)),
  openInto(plaintext, box, nonce, key) {
    const cipher = xsalsa20poly1305(key, nonce)
    try {
      return fill(plaintext, cipher.decrypt(box))
    } catch {
      return false // it throws for a wrong tag
    }
  },
}

function fill(plaintext: Uint8Array, opened: Uint8Array | null): boolean {
  if (opened !== null) plaintext.set(opened)
  return opened !== null
}
