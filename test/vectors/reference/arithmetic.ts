import { createCipheriv } from 'node:crypto'

/** The first `length` words of `PRG(key)`: OpenSSL's ChaCha20, whose IV is counter and nonce. */
export function prg(key: Uint8Array, length: number): number[] {
  const stream = createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(4 * length))
  return Array.from({ length }, (_, i) => stream.readUInt32LE(4 * i))
}

/** Section 7, "Pack", with one big number for the whole stream. */
export function pack(words: readonly number[], bits: number): Buffer {
  const mask = 2n ** BigInt(bits) - 1n
  const stream = words.reduceRight((high, word) => (high << BigInt(bits)) | (BigInt(word) & mask), 0n)
  const bytes = Math.ceil((words.length * bits) / 8)
  return Buffer.from(stream.toString(16).padStart(2 * bytes, '0'), 'hex').reverse()
}

/** GF(2^8), by shifting and adding. */
export function times(a: number, b: number): number {
  let product = 0
  for (let factor = a, bits = b; bits > 0; bits >>= 1) {
    if (bits & 1) product ^= factor
    factor = (factor << 1) ^ (factor & 0x80 ? 0x11b : 0)
  }
  return product
}

/** The share at `x`: sum of coefficient j times x^j, byte by byte; `secret` is coefficient 0. */
export function shareAt(secret: Uint8Array, coefficients: Uint8Array, x: number): Buffer {
  const terms = coefficients.length / secret.length
  return Buffer.from(
    secret.map((byte, i) => {
      let value = byte
      let power = x
      for (let j = 0; j < terms; j++) {
        value ^= times(coefficients[j * secret.length + i] as number, power)
        power = times(power, x)
      }
      return value
    }),
  )
}

/** The factors at zero by their definition: product of x_m / (x_m - x_j), a quotient being found by trial. */
export function lagrange(points: readonly number[]): number[] {
  const quotient = (a: number, b: number) => Array.from({ length: 256 }, (_, q) => q).findIndex((q) => times(q, b) === a)
  return points.map((x) =>
    points.reduce((factor, other) => (other === x ? factor : times(factor, quotient(other, other ^ x))), 1),
  )
}

/** Smallest b from 8 to 32 with W L <= 2^(b-1) - 1. */
export function ringBits(valueBits: number, totalWeight: number): number {
  const largest = totalWeight * (2 ** (valueBits - 1) - 1)
  return Array.from({ length: 25 }, (_, i) => 8 + i).find((bits) => largest <= 2 ** (bits - 1) - 1) ?? Number.NaN
}

export interface Rounding {
  readonly clipBound: number
  readonly valueBits: number
  readonly weight: number
}

/** Section 7, "Quantise": words mod 2^32. */
export function quantise(
  delta: readonly number[],
  random: readonly number[],
  { clipBound, valueBits, weight }: Rounding,
): number[] {
  const levels = 2 ** (valueBits - 1) - 1
  return delta.map((value, i) => {
    const x = value * (1 / (clipBound / levels))
    const rounded = Math.floor(x) + Math.floor(x - Math.floor(x) + (random[i] as number) / 2 ** 32)
    return (Math.min(levels, Math.max(-levels, rounded)) * weight) >>> 0
  })
}

/** Section 7, "Rotate", forward or back. */
export function rotate(delta: readonly number[], seed: Uint8Array, back: boolean): number[] {
  const tile = 4 ** Math.floor(Math.log2(Math.min(delta.length, 4096)) / 2)
  const starts = Array.from({ length: Math.ceil(delta.length / tile) }, (_, i) => Math.min(i * tile, delta.length - tile))
  const signs = prg(seed, Math.ceil((starts.length * tile) / 32))
  const out = [...delta]
  for (const [i, start] of back ? [...starts.entries()].reverse() : starts.entries()) {
    const flip = (x: number, at: number) => {
      const j = i * tile + at
      return Math.floor((signs[Math.floor(j / 32)] as number) / 2 ** (j % 32)) % 2 === 1 ? -x : x
    }
    const inTile = out.slice(start, start + tile)
    const mixed = back ? hadamard(inTile).map(flip) : hadamard(inTile.map(flip))
    out.splice(start, tile, ...mixed)
  }
  return out.map((x) => x + 0)
}

/** Sums and differences of neighbours first, then of pairs of pairs; each rounded to float32. */
function hadamard(tile: readonly number[]): number[] {
  let mixed = [...tile]
  for (let half = 1; half < tile.length; half *= 2) {
    const before = mixed
    mixed = before.map((x, i) => {
      const partner = before[i ^ half] as number
      return Math.fround(i & half ? partner - x : x + partner)
    })
  }
  return mixed.map((x) => Math.fround(x / Math.sqrt(tile.length)))
}

/** Section 7, "Counters". */
export function counters(
  totalWeight: number,
  report: { weight: number; loss: number; accuracy: number; clipped: boolean },
): number[] {
  const { weight, loss, accuracy, clipped } = report
  const most = 2 ** 32 - 1
  return [
    weight,
    weight * Math.round(Math.min(Math.max(loss, 0), 64) * Math.floor(most / (64 * totalWeight))),
    weight * Math.round(accuracy * Math.floor(most / totalWeight)),
    clipped ? 1 : 0,
  ]
}
