import { describe, expect, test } from 'vitest'
import { Quantiser } from '../../../aggregator/src/quantise/quantiser.ts'

/** Draws that round every coordinate between two quanta down, or up. */
const DOWN = 0
const UP = 0xffffffff

const config = (message: string) =>
  expect.objectContaining({ code: 'FL_CONFIG_INVALID', message: expect.stringContaining(message) })

describe('the ring', () => {
  test('is the smallest that holds the largest sum', () => {
    // 127 * 1 = 2^7 - 1 fits 8 bits exactly; 127 * 2 = 254 needs 9, whose largest is 255
    expect([1, 2, 3].map((weight) => Quantiser.ringBits(8, weight))).toEqual([8, 9, 10])
    expect(Quantiser.ringBits(2, 127)).toBe(8)
    expect(Quantiser.ringBits(2, 128)).toBe(9)
    expect(Quantiser.ringBits(2, 1)).toBe(8)
    expect(Quantiser.ringBits(24, 256)).toBe(32)
    expect(new Quantiser({ clipBound: 1, valueBits: 12, totalWeight: 1000 }).ring.bits).toBe(22)
    expect(new Quantiser({ clipBound: 1, valueBits: 12, totalWeight: 1000, ringBits: 32 }).ring.bits).toBe(32)
  })

  test('is refused when a sum could wrap, with the numbers and the ring that would do', () => {
    const options = { clipBound: 1, valueBits: 12, totalWeight: 1000 } // reaches 1000 * 2047
    expect(() => new Quantiser({ ...options, ringBits: 21 })).toThrow(config('reaches 2047000: take at least 22 bits'))
    expect(() => Quantiser.ringBits(24, 257)).toThrow(config('at 24 bits the total weight may be 256'))
  })
})

test.each([
  { valueBits: 1 },
  { valueBits: 25 },
  { valueBits: 8.5 },
  { totalWeight: 0 },
  { totalWeight: 1.5 },
  { clipBound: 0 },
  { clipBound: -1 },
  { clipBound: Number.NaN },
  { clipBound: Number.POSITIVE_INFINITY },
])('refuses %j', (change) => {
  expect(() => new Quantiser({ clipBound: 1, valueBits: 8, totalWeight: 10, ...change })).toThrow(
    config(Object.keys(change)[0] ?? ''),
  )
})

test('a ring of more than 32 bits is refused', () => {
  expect(() => new Quantiser({ clipBound: 1, valueBits: 8, totalWeight: 10, ringBits: 33 })).toThrow(
    expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }),
  )
})

describe('encode', () => {
  const quantiser = new Quantiser({ clipBound: 127, valueBits: 8, totalWeight: 10 }) // a quantum is 1
  const signed = (words: Uint32Array) => [...words].map((word) => word | 0)
  const encode = (value: number, random: number, weight = 1) =>
    signed(quantiser.encode(Float32Array.of(value), weight, Uint32Array.of(random)))[0]

  test('rounds up for exactly as many draws as the fraction says, the highest', () => {
    expect(encode(2.25, 3 * 2 ** 30)).toBe(3) // the highest quarter of the draws
    expect(encode(2.25, 3 * 2 ** 30 - 1)).toBe(2)
    expect(encode(-2.25, 2 ** 30)).toBe(-2)
    expect(encode(-2.25, 2 ** 30 - 1)).toBe(-3)
  })

  test('leaves whole quanta as they are, whatever is drawn', () => {
    for (const value of [-127, -1, 0, 1, 127]) expect([encode(value, UP), encode(value, DOWN)]).toEqual([value, value])
  })

  test('cuts off what is beyond the bound after rounding, before the weight', () => {
    expect([127.5, 128, 1e9, 3e38].map((value) => encode(value, UP, 10))).toEqual([1270, 1270, 1270, 1270])
    expect([-127.5, -128, -1e9, -3e38].map((value) => encode(value, DOWN, 10))).toEqual([-1270, -1270, -1270, -1270])
  })

  test('multiplies the rounded value by the weight', () => {
    expect(encode(-3.5, UP, 7)).toBe(-21)
    expect(encode(-3.5, DOWN, 7)).toBe(-28)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('names the coordinate that is %d', (value) => {
    expect(() => quantiser.encode(Float32Array.of(0, 1, value), 1, new Uint32Array(3))).toThrow(
      expect.objectContaining({ code: 'FL_NON_FINITE', message: `delta[2] is ${value}` }),
    )
  })

  test('refuses weights outside 1 to the total, and another number of random words', () => {
    for (const weight of [0, 11, 1.5, -1, Number.NaN]) {
      expect(() => encode(1, UP, weight)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
    expect(() => quantiser.encode(new Float32Array(3), 1, new Uint32Array(2))).toThrow(
      expect.objectContaining({ code: 'FL_UPDATE_SHAPE' }),
    )
  })
})

describe('decode', () => {
  test('is exact where the mean is a float32', () => {
    const quantiser = new Quantiser({ clipBound: 127, valueBits: 8, totalWeight: 4 })
    const sum = Uint32Array.of(4 * 127, -4 * 127, 0, 6, -6)
    expect(quantiser.decode(sum, 4)).toEqual(Float32Array.of(127, -127, 0, 1.5, -1.5))
    expect(
      quantiser.decode(
        sum.map((word) => word & 1023),
        4,
      ),
    ).toEqual(Float32Array.of(127, -127, 0, 1.5, -1.5)) // 10 bits
  })

  test('refuses a total weight outside 1 to the configured one', () => {
    const quantiser = new Quantiser({ clipBound: 1, valueBits: 8, totalWeight: 4 })
    for (const weight of [0, 5, 2.5]) {
      expect(() => quantiser.decode(new Uint32Array(1), weight)).toThrow(expect.objectContaining({ code: 'FL_OUT_OF_RANGE' }))
    }
  })
})

test('at the extreme of every setting the sum of all clients does not wrap', () => {
  for (let valueBits = 2; valueBits <= 24; valueBits++) {
    const levels = 2 ** (valueBits - 1) - 1
    for (const totalWeight of [1, 3, Math.floor((2 ** 31 - 1) / levels)]) {
      const quantiser = new Quantiser({ clipBound: levels, valueBits, totalWeight })
      for (const value of [levels, -levels]) {
        const whole = quantiser.encode(Float32Array.of(value), totalWeight, Uint32Array.of(UP))
        const packed = quantiser.ring.unpack(quantiser.ring.pack(whole), 1)
        expect(quantiser.ring.toSigned(packed[0] as number)).toBe(value * totalWeight)
        expect(quantiser.decode(packed, totalWeight)).toEqual(Float32Array.of(value))
      }
    }
  }
})

test('the mean over every equally likely draw is the coordinate', () => {
  const quantiser = new Quantiser({ clipBound: 127, valueBits: 8, totalWeight: 1 })
  const draws = 4096 // evenly spread, so that fractions of 1/4096 are met exactly
  const random = Uint32Array.from({ length: draws }, (_, i) => i * (2 ** 32 / draws))
  for (const value of [0.25, -0.25, 1 / 4096, -1 / 4096, 100.75, -126.0625]) {
    const words = quantiser.encode(new Float32Array(draws).fill(value), 1, random)
    expect(words.reduce((sum, word) => sum + (word | 0), 0) / draws).toBe(value)
  }
})

test('encodes in the memory of the random words, to the same words', () => {
  const quantiser = new Quantiser({ clipBound: 1, valueBits: 8, totalWeight: 10 })
  const delta = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i) * 1.2) // some are above the bound
  const random = Uint32Array.from({ length: 100 }, (_, i) => i * 42_949_672)
  const words = quantiser.encode(delta, 3, random)
  const before = random.slice()
  expect(quantiser.encode(delta, 3, random, random)).toBe(random)
  expect(random).toEqual(words)
  expect(random).not.toEqual(before)
})
