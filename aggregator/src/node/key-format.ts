import { createHash, randomBytes, scrypt } from 'node:crypto'
import { fromHex, toHex, wipe } from '../core/bytes.ts'
import { FedweaveError } from '../core/errors.ts'
import { openBox, sealBox } from '../crypto/box.ts'

/**
 * A key file is JSON in one of two forms, bytes in hex:
 *
 *     { "format": "fedweave-key/1", "seed", "check": first 8 bytes of SHA-256 of the seed }
 *     { "format": "fedweave-key/1", "kdf": { "name": "scrypt", "N", "r", "p", "salt" }, "box" }
 *
 * `box` is a 24-byte nonce and the NaCl secretbox of the seed; its 32-byte key is scrypt (RFC 7914) of the passphrase in
 * UTF-8, Unicode form NFKC, so that the same characters typed on another system give the same key.
 */
const FORMAT = 'fedweave-key/1'

/** Of an Ed25519 key. */
export const SEED_BYTES = 32

/** OWASP's advice for scrypt (Password Storage Cheat Sheet): 128 MiB of memory. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const
const SALT_BYTES = 16
const CHECK_BYTES = 8

interface Scrypt {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: string
}

type KeyFile = { readonly seed: string; readonly check: string } | { readonly kdf: Scrypt; readonly box: string }

/** The text of a key file: encrypted if there is a passphrase. */
export async function encodeKey(seed: Uint8Array, passphrase: string | undefined): Promise<string> {
  const content: KeyFile =
    passphrase === undefined ? { seed: toHex(seed), check: checkOf(seed) } : await encrypt(seed, passphrase)
  return `${JSON.stringify({ format: FORMAT, ...content }, null, 2)}\n`
}

/** The seed, and whether it was encrypted. Throws `FL_KEYSTORE` naming `path`. */
export async function decodeKey(
  text: string,
  passphrase: string | undefined,
  path: string,
): Promise<{ readonly seed: Uint8Array; readonly encrypted: boolean }> {
  const file = parse(text)
  if (file === undefined) throw refused(`${path} is damaged, or no key file of the format ${FORMAT}`)
  if ('seed' in file) {
    const seed = fromHex(file.seed)
    if (file.check !== checkOf(seed)) throw refused(`${path} is damaged: the seed does not match its checksum`)
    return { seed, encrypted: false }
  }
  if (passphrase === undefined) throw refused(`${path} is encrypted, and no passphrase was given`)
  const key = await derive(passphrase, file.kdf)
  const seed = openBox(key, fromHex(file.box))
  wipe(key)
  if (seed?.length !== SEED_BYTES) throw refused(`the passphrase does not open ${path}, or the file was altered`)
  return { seed, encrypted: true }
}

async function encrypt(seed: Uint8Array, passphrase: string): Promise<KeyFile> {
  const kdf = { name: 'scrypt', ...COST, salt: toHex(randomBytes(SALT_BYTES)) }
  const key = await derive(passphrase, kdf)
  const box = sealBox(key, seed, { bytes: (length) => new Uint8Array(randomBytes(length)) })
  wipe(key)
  return { kdf, box: toHex(box) }
}

function derive(passphrase: string, { N, r, p, salt }: Scrypt): Promise<Uint8Array> {
  const maxmem = 2 * 128 * N * r // Node counts a little more than the 128 N r bytes of RFC 7914
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), fromHex(salt), 32, { N, r, p, maxmem }, (error, key) => {
      if (error) reject(error)
      else resolve(new Uint8Array(key))
    })
  })
}

function parse(text: string): KeyFile | undefined {
  let file: {
    format?: unknown
    seed?: unknown
    check?: unknown
    kdf?: Partial<Scrypt> & { name?: unknown }
    box?: unknown
  } | null
  try {
    file = JSON.parse(text)
  } catch {
    return undefined
  }
  if (file?.format !== FORMAT) return undefined
  const { seed, check, kdf, box } = file
  if (isHex(seed, SEED_BYTES) && isHex(check, CHECK_BYTES)) return { seed, check }
  if (kdf?.name !== 'scrypt' || !isHex(kdf.salt) || !isHex(box)) return undefined
  const { N, r, p, salt } = kdf
  // Other costs than ours are no key file of ours; a damaged number must not take all memory.
  return N === COST.N && r === COST.r && p === COST.p ? { kdf: { N, r, p, salt }, box } : undefined
}

function isHex(value: unknown, length?: number): value is string {
  return typeof value === 'string' && /^([0-9a-f]{2})+$/.test(value) && (length === undefined || value.length === 2 * length)
}

function checkOf(seed: Uint8Array): string {
  return toHex(createHash('sha256').update(seed).digest().subarray(0, CHECK_BYTES))
}

function refused(message: string): FedweaveError {
  return new FedweaveError('FL_KEYSTORE', message)
}
