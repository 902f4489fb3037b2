import { join, unsigned } from './bytes.ts'

/** NaCl's secretbox and `beforenm`, which `node:crypto` lacks: slow, and short enough to be read against the Salsa20 paper. */

const SIGMA = Buffer.from('expand 32-byte k')
/** The quarter rounds of one double round: columns, then rows. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const

const words = (bytes: Uint8Array) => Array.from({ length: bytes.length / 4 }, (_, i) => Buffer.from(bytes).readUInt32LE(4 * i))

function little(values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) out.writeUInt32LE(value >>> 0, 4 * i)
  return out
}

const at = (x: readonly number[], i: number): number => x[i] as number

/** The state before and after 20 rounds. `input`: the 16 bytes of nonce and counter. */
function core(key: Uint8Array, input: Uint8Array): { readonly before: readonly number[]; readonly after: readonly number[] } {
  const [s, k, n] = [words(SIGMA), words(key), words(input)]
  const before = [at(s, 0), ...k.slice(0, 4), at(s, 1), ...n, at(s, 2), ...k.slice(4), at(s, 3)]
  const x = [...before]
  const step = (to: number, a: number, b: number, by: number) => {
    const sum = (at(x, a) + at(x, b)) >>> 0
    x[to] = at(x, to) ^ ((sum << by) | (sum >>> (32 - by)))
  }
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      step(b, a, d, 7)
      step(c, b, a, 9)
      step(d, c, b, 13)
      step(a, d, c, 18)
    }
  }
  return { before, after: x }
}

export function hsalsa20(key: Uint8Array, input: Uint8Array): Buffer {
  const { after } = core(key, input)
  return little([0, 5, 10, 15, 6, 7, 8, 9].map((i) => at(after, i)))
}

function xsalsa20(key: Uint8Array, nonce: Uint8Array, length: number): Buffer {
  const subkey = hsalsa20(key, nonce.subarray(0, 16))
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, block) => {
    const { before, after } = core(subkey, join(nonce.subarray(16), little([block, 0])))
    return little(after.map((word, i) => word + at(before, i)))
  })
  return join(...blocks).subarray(0, length)
}

/** RFC 8439, section 2.5. */
function poly1305(key: Uint8Array, message: Uint8Array): Buffer {
  const number = (bytes: Uint8Array) => BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`)
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let i = 0; i < message.length; i += 16) {
    sum = ((sum + number(join(message.subarray(i, i + 16), Buffer.of(1)))) * r) % (2n ** 130n - 5n)
  }
  const tag = (sum + number(key.subarray(16, 32))) % 2n ** 128n
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse()
}

/** Tag, then ciphertext. */
export function secretbox(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Buffer {
  const stream = xsalsa20(key, nonce, 32 + plaintext.length)
  const ciphertext = Buffer.from(plaintext.map((byte, i) => byte ^ (stream[32 + i] as number)))
  return join(poly1305(stream.subarray(0, 32), ciphertext), ciphertext)
}

/** Section 4, "Seal". */
export function seal(key: Uint8Array, plaintext: Uint8Array): Buffer {
  const frames = Math.max(1, Math.ceil(plaintext.length / 65_536))
  return join(
    ...Array.from({ length: frames }, (_, i) => {
      const nonce = join(unsigned(i, 8), Buffer.of(i === frames - 1 ? 1 : 0), Buffer.alloc(15))
      return secretbox(key, nonce, plaintext.subarray(i * 65_536, (i + 1) * 65_536))
    }),
  )
}
