import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  FedweaveError,
  MAX_CLIENT_MESSAGE_BYTES,
  type ServerMessage,
} from '@fedweave/aggregator'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { journalBody } from '../../../aggregator/src/secagg/journal.ts'
import { bytes, type Codec, decode, encode, fixed, list, u8, u16, u32, u64 } from '../../../aggregator/src/wire/codec.ts'
import { clientMessage, serverMessage, unmaskShares } from '../../../aggregator/src/wire/messages.ts'
import { clientMessages, clientTypes, journalBodies, largestSetup, serverMessages, serverTypes } from './messages.ts'

const RUNS = { seed: 1, numRuns: 2000 }
const COUNT_MAX = Uint8Array.of(0xff, 0xff, 0xff, 0xff)

/** Reads the bytes: a value whose one encoding they are, or `FL_MESSAGE_MALFORMED` and nothing else. */
function readsOrRefuses<T>(codec: Codec<T>, raw: Uint8Array): 'read' | 'refused' {
  let value: T
  try {
    value = decode(codec, raw)
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
    expect(error.code).toBe('FL_MESSAGE_MALFORMED')
    return 'refused'
  }
  expect(encode(codec, value)).toEqual(raw)
  return 'read'
}

/** What a faulty or hostile sender makes of good bytes. */
const damage = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) }),
  fc.record({ how: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ how: fc.constant('append' as const), tail: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({
    how: fc.constant('overwrite' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    with: fc.uint8Array({ maxLength: 8 }),
  }),
  fc.record({
    how: fc.constant('overwrite' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    with: fc.constant(COUNT_MAX),
  }),
)

function damaged(raw: Uint8Array, hit: typeof damage extends fc.Arbitrary<infer D> ? D : never): Uint8Array {
  const place = (at: number) => Math.min(raw.length - 1, Math.floor(at * raw.length))
  switch (hit.how) {
    case 'flip':
      return raw.map((byte, i) => (i === place(hit.at) ? byte ^ (1 << hit.bit) : byte))
    case 'cut':
      return raw.slice(0, place(hit.at))
    case 'append':
      return Uint8Array.from([...raw, ...hit.tail])
    case 'overwrite': {
      const copy = raw.slice()
      copy.set(hit.with.subarray(0, raw.length - place(hit.at)), place(hit.at))
      return copy
    }
  }
}

describe.each([
  ['client', clientMessages, clientMessage, clientTypes] as const,
  ['server', serverMessages, serverMessage, serverTypes] as const,
])('messages of the %s', (_, messages, codec, types) => {
  test('round-trip, every type of them', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(messages as fc.Arbitrary<ClientMessage | ServerMessage>, (message) => {
        seen.add(message.type)
        expect(decode(codec as Codec<ClientMessage | ServerMessage>, encode(codec as Codec<typeof message>, message))).toEqual(
          message,
        )
      }),
      RUNS,
    )
    expect([...seen].sort()).toEqual([...types].sort())
  })

  test('of random bytes are refused or have these bytes as their one encoding', () => {
    const known = fc.constantFrom(...Array.from({ length: 100 }, (_, i) => i))
    const raw = fc.tuple(known, fc.uint8Array({ maxLength: 400 })).map(([tag, rest]) => Uint8Array.of(tag, ...rest))
    fc.assert(
      fc.property(raw, (input) => {
        readsOrRefuses<unknown>(codec as Codec<unknown>, input)
      }),
      RUNS,
    )
  })

  test('that were damaged on their way are refused, or are other messages', () => {
    const counts = { read: 0, refused: 0 }
    fc.assert(
      fc.property(messages as fc.Arbitrary<ClientMessage | ServerMessage>, damage, (message, hit) => {
        const raw = damaged(encode(codec as Codec<typeof message>, message), hit)
        counts[readsOrRefuses<unknown>(codec as Codec<unknown>, raw)] += 1
      }),
      RUNS,
    )
    expect(counts.read).toBeGreaterThan(100)
    expect(counts.refused).toBeGreaterThan(100)
  })
})

test('a journal entry round-trips, floating-point figures included', () => {
  fc.assert(
    fc.property(journalBodies, (body) => {
      expect(decode(journalBody, encode(journalBody, body))).toEqual(body)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('an opened unmask answer of random bytes is refused or canonical', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      readsOrRefuses(unmaskShares, raw)
    }),
    RUNS,
  )
})

describe('a length is checked before anything is made of it', () => {
  const refusal = (read: () => unknown) => {
    try {
      read()
    } catch (error) {
      return error instanceof FedweaveError ? error.message : expect.unreachable(String(error))
    }
    return 'read'
  }

  test('against the largest that is allowed', () => {
    let items = 0
    const counting: Codec<number> = {
      write: u8.write,
      read: (from) => {
        items += 1
        return u8.read(from)
      },
    }
    expect(refusal(() => decode(bytes(10), COUNT_MAX))).toBe('malformed message: 4294967295 bytes where at most 10 are allowed')
    expect(refusal(() => decode(list(counting, 10), COUNT_MAX))).toBe(
      'malformed message: 4294967295 items where at most 10 are allowed',
    )
    expect(items).toBe(0)
  })

  test('against the bytes that are there', () => {
    const four = Uint8Array.of(0, 0, 0, 4, 1, 2, 3)
    expect(refusal(() => decode(bytes(10), four))).toBe(
      'malformed message: it ends after 7 bytes, where at least 8 were expected',
    )
    expect(refusal(() => decode(list(u8, 10), four))).toBe(
      'malformed message: it ends after 7 bytes, where at least 8 were expected',
    )
    // 2^31 bytes are allowed here, and claimed: they are not there, so none are reserved.
    expect(refusal(() => decode(bytes(2 ** 31), Uint8Array.of(0x80, 0, 0, 0)))).toMatch(
      /^malformed message: it ends after 4 bytes/,
    )
    expect(refusal(() => decode(fixed(2 ** 31), new Uint8Array(4)))).toMatch(/^malformed message: it ends after 4 bytes/)
  })

  test('in every message, wherever a count of 2^32 - 1 is put', () => {
    const one = fc.oneof(
      clientMessages.map((message) => [clientMessage as Codec<unknown>, encodeClientMessage(message)] as const),
      serverMessages.map((message) => [serverMessage as Codec<unknown>, encodeServerMessage(message)] as const),
    )
    fc.assert(
      fc.property(one, ([codec, raw]) => {
        for (let at = 1; at + 4 <= Math.min(raw.length, 300); at++) {
          const copy = raw.slice()
          copy.set(COUNT_MAX, at)
          readsOrRefuses(codec, copy)
        }
      }),
      { seed: 1, numRuns: 100 },
    )
  })
})

test('a setup for the most share-holders fits into the longest message that the server reads', () => {
  expect(encodeClientMessage(largestSetup).length).toBeLessThanOrEqual(MAX_CLIENT_MESSAGE_BYTES)
})

test('integers keep their value up to their width, and 64-bit ones up to 2^53 - 1', () => {
  const widths = [
    [u8, 1],
    [u16, 2],
    [u32, 4],
  ] as const
  for (const [codec, size] of widths) {
    for (const value of [0, 1, 2 ** (8 * size) - 1]) expect(decode(codec, encode(codec, value))).toBe(value)
    expect(() => encode(codec, 2 ** (8 * size))).toThrow(RangeError)
  }
  expect(decode(u64, encode(u64, Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER)
  expect(readsOrRefuses(u64, Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0))).toBe('refused')
  expect(() => encode(u64, -1)).toThrow(RangeError)
})

test('an unknown type, an empty message and trailing bytes are refused', () => {
  for (const raw of [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(255), Uint8Array.of(2, 0)]) {
    for (const read of [decodeClientMessage, decodeServerMessage]) {
      expect(() => read(raw)).toThrow(expect.objectContaining({ code: 'FL_MESSAGE_MALFORMED' }))
    }
  }
})
