import { expect, test } from 'vitest'
import { Ring } from '../../../aggregator/src/quantise/ring.ts'

test('packs bit j of word i to bit i * bits + j, lowest bit first', () => {
  // 0xabc, 0x123, 0x7ff, 12 bits each: nibbles c b a, 3 2 1, f f 7 from the lowest on
  expect(new Ring(12).pack(Uint32Array.of(0xabc, 0x123, 0x7ff))).toEqual(Uint8Array.of(0xbc, 0x3a, 0x12, 0xff, 0x07))
  expect(new Ring(8).pack(Uint32Array.of(1, 2, 255))).toEqual(Uint8Array.of(1, 2, 255))
  expect(new Ring(32).pack(Uint32Array.of(0x04030201, 0xfffefdfc))).toEqual(Uint8Array.of(1, 2, 3, 4, 0xfc, 0xfd, 0xfe, 0xff))
})

test('packs to exactly the bits of the ring', () => {
  expect(new Ring(20).packedBytes(694_000)).toBe(1_735_000)
  expect([0, 1, 2, 3, 8].map((length) => new Ring(9).packedBytes(length))).toEqual([0, 2, 3, 4, 9])
})

test('packing reduces mod 2^bits', () => {
  const ring = new Ring(10)
  expect(ring.unpack(ring.pack(Uint32Array.of(0xffffffff, 1024, 1025)), 3)).toEqual(Uint32Array.of(1023, 0, 1))
})

test('unpacks from any byte of a larger message', () => {
  const ring = new Ring(20)
  const words = Uint32Array.of(1, 0xfffff, 0x12345)
  const message = new Uint8Array(20).fill(0xee)
  for (const at of [3, 4]) {
    message.fill(0xee).set(ring.pack(words), at)
    expect(ring.unpack(message.subarray(at, at + 8), 3)).toEqual(words)
  }
})

test('packs into a part of a larger message and touches nothing around it', () => {
  const ring = new Ring(20)
  const words = Uint32Array.of(1, 0xfffff, 0x12345)
  const message = new Uint8Array(20).fill(0xee)
  ring.packInto(message.subarray(4, 12), words)
  expect(message).toEqual(Uint8Array.of(...Array(4).fill(0xee), ...ring.pack(words), ...Array(8).fill(0xee)))
})

test('refuses another number of bytes, and set bits after the last word', () => {
  const ring = new Ring(9)
  const shape = expect.objectContaining({ code: 'FL_UPDATE_SHAPE' })
  expect(() => ring.unpack(new Uint8Array(3), 3)).toThrow(shape)
  expect(() => ring.unpack(new Uint8Array(5), 3)).toThrow(shape)
  expect(() => ring.unpack(new Uint8Array(1), 0)).toThrow(shape)
  for (let bit = 27; bit < 32; bit++) {
    expect(() => ring.unpack(Uint8Array.of(0, 0, 0, 1 << (bit - 24)), 3)).toThrow(shape)
  }
  expect(ring.unpack(Uint8Array.of(0, 0, 0, 1 << 2), 3)).toEqual(Uint32Array.of(0, 0, 256))
})

test('reads the upper half of the ring as negative', () => {
  expect([0, 127, 128, 255, 256].map((word) => new Ring(8).toSigned(word))).toEqual([0, 127, -128, -1, 0])
  expect([0x7fffffff, 0x80000000, 0xffffffff].map((word) => new Ring(32).toSigned(word))).toEqual([2 ** 31 - 1, -(2 ** 31), -1])
})

test.each([7, 33, 8.5, Number.NaN])('there is no ring of %d bits', (bits) => {
  expect(() => new Ring(bits)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
})
