import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ring } from '../../../aggregator/src/quantise/ring.ts'
import { wasmPrg } from '../../../aggregator/src/wasm/index.ts'

const WIDTHS = Array.from({ length: 25 }, (_, i) => i + 8)

test.each(WIDTHS)('%d bits: unpacking gives back what was packed, as the bit stream says', (bits) => {
  const ring = new Ring(bits)
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 70 }), (words) => {
      const packed = ring.pack(words)
      let stream = 0n // the definition, in one large integer
      for (const [i, word] of words.entries()) stream |= (BigInt(word) & ((1n << BigInt(bits)) - 1n)) << BigInt(i * bits)
      const expected = Uint8Array.from({ length: Math.ceil((words.length * bits) / 8) }, (_, b) =>
        Number((stream >> BigInt(8 * b)) & 255n),
      )
      expect(packed).toEqual(expected)
      expect(ring.unpack(packed, words.length)).toEqual(words.map((word) => (bits === 32 ? word : word % 2 ** bits)))
    }),
    { seed: 1 },
  )
})

test.each(WIDTHS)('%d bits: WebAssembly packs words, and adds packed ones, as JavaScript does', (bits) => {
  const ring = new Ring(bits)
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 70 }), (words) => {
      const sum = wasmPrg().accumulator(words.length)
      sum.addWords(words)
      const packed = new Uint8Array(ring.packedBytes(words.length))
      ring.packSumInto(packed, sum)
      expect(packed).toEqual(ring.pack(words))
      ring.addPacked(sum, packed)
      const unpacked = ring.unpack(packed, words.length)
      expect(sum.words).toEqual(words.map((word, i) => word + (unpacked[i] as number)))
    }),
    { seed: 3, numRuns: 50 },
  )
})

test('a signed word goes round through the ring', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 32 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (bits, any) => {
      const value = any % 2 ** (bits - 1)
      const ring = new Ring(bits)
      expect(ring.toSigned(ring.unpack(ring.pack(Uint32Array.of(value)), 1)[0] as number)).toBe(value + 0)
    }),
    { seed: 2 },
  )
})
