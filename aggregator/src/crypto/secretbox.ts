import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import nacl from 'tweetnacl'

/**
 * NaCl's secretbox, XSalsa20 and Poly1305: the tag of 16 bytes, then the ciphertext. `naclSecretbox` runs everywhere; a
 * platform may bring a faster one with the same bytes (`@fedweave/aggregator/node`). `secretboxContract` in
 * `@fedweave/aggregator/testing` checks one.
 */
export interface Secretbox {
  readonly name: string
  /** The box of `plaintext` in an array of its own. `nonce` has 24 bytes and is used once under `key`, which has 32. */
  seal(plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array
  /** The plaintext in an array of its own; `undefined` when the box was not made so, or was changed. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined
}

export const SECRETBOX_NONCE_BYTES = nacl.secretbox.nonceLength
export const SECRETBOX_TAG_BYTES = nacl.secretbox.overheadLength

export const naclSecretbox: Secretbox = {
  name: 'tweetnacl',
  seal: (plaintext, nonce, key) => nacl.secretbox(plaintext, nonce, key),
  open: (box, nonce, key) => nacl.secretbox.open(box, nonce, key) ?? undefined,
}

/** Plain JavaScript as well, two to four times as fast on frames of 64 KiB. */
export const nobleSecretbox: Secretbox = {
  name: 'noble',
  seal: (plaintext, nonce, key) => xsalsa20poly1305(key, nonce).encrypt(plaintext),
  open(box, nonce, key) {
    if (box.length < SECRETBOX_TAG_BYTES) return undefined
    const cipher = xsalsa20poly1305(key, nonce)
    try {
      return cipher.decrypt(box)
    } catch {
      return undefined // it throws for a wrong tag
    }
  },
}
