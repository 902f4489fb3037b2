import { rngChacha20 } from '@noble/ciphers/chacha.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8 } from '../core/bytes.ts'
import type { Entropy } from '../core/entropy.ts'

/**
 * The same bytes for the same seed, for tests and simulations: the ChaCha20 stream under the key SHA-256(`seed`), a
 * string being hashed as UTF-8. How the stream is cut into reads does not change it.
 *
 * Never for live use: whoever knows or guesses the seed knows every key, mask and share drawn from it.
 */
export function seededEntropy(seed: string | Uint8Array): Entropy {
  const stream = rngChacha20(sha256(typeof seed === 'string' ? utf8(seed) : seed))
  return { bytes: (length) => stream.randomBytes(length) }
}
