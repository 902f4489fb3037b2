import {
  type Accumulator,
  Counters,
  noblePrg,
  openSeal,
  type Prg,
  Quantiser,
  sealKey,
  sharedKey,
  toHex,
} from '@fedweave/aggregator'
import * as testing from '@fedweave/aggregator/testing'
import { type HarnessClient, type HarnessOptions, type RoundHarness, seededEntropy } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { isFault } from '../../aggregator/src/secagg/fault.ts'
import type { Segments } from '../../aggregator/src/secagg/masks.ts'
import { intercept, memoCurves } from '../unit/aggregator/cohort.ts'
import { attack, cohort, pick, secretOf, updateOf } from './attack.ts'
import { Thief } from './thief.ts'

/** What the server sees of each upload once its seal is open: words under masks. */
function maskedUploads(harness: RoundHarness): { readonly client: string; readonly words: Segments<Uint32Array> }[] {
  const uploads: { client: string; words: Segments<Uint32Array> }[] = []
  intercept(harness, ({ to, client, message }) => {
    if (to !== 'server' || message.type !== 'upload') return undefined
    const { coordinatorSecret } = harness.server
    const shared = sharedKey(memoCurves, coordinatorSecret, harness.client(client).entry.channelKey) as Uint8Array
    const plain = openSeal(sealKey(shared, message.context, 'upload', client), message.sealed, harness.format.plainBytes)
    const words = harness.format.parse(plain as Uint8Array)
    if (!isFault(words)) uploads.push({ client, words })
    return undefined
  })
  return uploads
}

const minus = ([first = [], second = []]: readonly (readonly number[])[]) =>
  second.map((value, i) => value - (first[i] as number))
const agreeing = (some: readonly number[], others: readonly number[]) => some.filter((value, i) => value === others[i]).length

/** `word` in the signed ring of so many bits. */
const signed = (word: number, bits: number) => (word << (32 - bits)) >> (32 - bits)

describe('masked updates look like noise', () => {
  const PARAMETERS = 4096
  const CLIENTS = 5

  /** Chi-square statistics of 256 buckets, over the highest and the lowest eight bits of the words that all clients send. */
  function statistics(prg: Prg): number[] {
    const delta = Array.from({ length: PARAMETERS }, () => 0)
    const harness = cohort(testing, CLIENTS, { size: PARAMETERS, prg, update: () => updateOf(delta) })
    const uploads = maskedUploads(harness)
    expect(harness.runRound().phase).toBe('completed')
    const words = uploads.flatMap(({ words }) => [...words.update])
    expect(words).toHaveLength(PARAMETERS * CLIENTS)
    const bits = ringBits(harness)
    const expected = words.length / 256
    return [bits - 8, 0].map((shift) => {
      const counts = new Float64Array(256)
      for (const word of words) counts[(word >>> shift) & 255] = 1 + (counts[(word >>> shift) & 255] as number)
      return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    })
  }

  // 255 degrees of freedom: mean 255, deviation sqrt(2 * 255) = 22.6; four of them are passed once in 16,000 times.
  const likely = (statistic: number) => Math.abs(statistic - 255) < 4 * Math.sqrt(510)

  test('chi-square: of a delta of zeros', () => expect(statistics(noblePrg).map(likely)).toEqual([true, true]))

  test('control: masks narrower than the ring, or that miss values, are told from noise', () => {
    expect(statistics(streamOf((word) => word >>> 20)).map(likely)).toEqual([false, true])
    expect(statistics(streamOf((word) => word & ~1)).map(likely)).toEqual([true, false])
  })
})

/** A generator that spoils the words of a good one. */
function streamOf(spoil: (word: number, i: number, words: Uint32Array) => number): Prg {
  const expand = (key: Uint8Array, length: number) => {
    const stream = noblePrg.accumulator(length)
    stream.addStream(key)
    return stream.words.map(spoil)
  }
  const accumulator = (length: number): Accumulator => {
    const sum = noblePrg.accumulator(length)
    return {
      words: sum.words,
      addWords: (term) => sum.addWords(term),
      addStream: (key) => sum.addWords(expand(key, length)),
      subtractStream: (key) => sum.addWords(expand(key, length).map((word) => -word)),
    }
  }
  return { name: 'spoilt', accumulator }
}

function ringBits({ config, clients }: RoundHarness): number {
  return Quantiser.ringBits(config.secureAggregation.valueBits, clients.length)
}

test('over rounds, clients, pairs and segments no stream is used twice, but for the two halves of a pair', () => {
  const harness = cohort(testing, 5)
  for (let round = 0; round < 3; round++) expect(harness.runRound().phase).toBe('completed')
  const uses = new Map<string, number[]>()
  for (const { effects } of harness.clients)
    for (const effect of effects) {
      if (effect.type !== 'upload') continue
      for (const { sign, keys } of effect.masks)
        for (const key of [keys.update, keys.counters].map(toHex)) uses.set(key, [...(uses.get(key) ?? []), sign])
    }
  const signs = [...uses.values()].map((list) => list.sort().join())
  const pairs = 3 * 2 * 10 // rounds, segments, pairs of five
  expect(signs.filter((list) => list === '-1,1')).toHaveLength(pairs)
  expect(signs.filter((list) => list === '1')).toHaveLength(3 * 2 * 5)
  expect(signs).toHaveLength(pairs + 3 * 2 * 5)
})

attack('one mask over both parts of an update, of which the counters can be guessed', {
  off: ['key-for-each-segment'],
  run: (aggregator) => {
    const harness = cohort(aggregator, 5)
    const [victim] = pick(harness, 3) as [HarnessClient]
    const uploads = maskedUploads(harness)
    harness.runRound()
    const { words } = uploads.find(({ client }) => client === victim.id) ?? expect.unreachable()
    const guess = new Counters(5).encode({ weight: 1, loss: 2, accuracy: 0.5, clipped: false })
    const mask = words.counters.map((word, i) => word - (guess[i] as number))
    const read = [...mask].map((word, i) => signed((words.update[i] as number) - word, ringBits(harness)))
    return { read, secret: secretOf(victim).slice(0, Counters.words) }
  },
  fails: ({ read, secret }) => expect(agreeing(read, secret)).toBe(0),
  succeeds: ({ read, secret }) => expect(read).toEqual(secret),
})

attack('one mask in two rounds, so that the difference of two updates is bare', {
  off: ['secrets-of-one-round'],
  run: (aggregator) => {
    let round = 1
    const secrets = ({ index }: { index: number }) => secretOf({ index: index * round })
    const harness = cohort(aggregator, 5, { update: (index) => updateOf(secrets({ index })) })
    const [victim] = pick(harness, 1) as [HarnessClient]
    const uploads = maskedUploads(harness)
    const plain: number[][] = []
    for (round = 1; round <= 2; round++) {
      expect(harness.runRound().phase).toBe('completed')
      plain.push(secrets(victim))
    }
    const masked = uploads.filter(({ client }) => client === victim.id).map(({ words }) => [...words.update])
    const bits = ringBits(harness)
    return { difference: minus(masked).map((value) => signed(value, bits)), real: minus(plain) }
  },
  fails: ({ difference, real }) => expect(agreeing(difference, real)).toBe(0),
  succeeds: ({ difference, real }) => expect(difference).toEqual(real),
})

describe('two tensors of one shape in one update, of which the mask is taken off by a difference', () => {
  const SHAPE = 8

  function difference(prg: Prg) {
    const tensors = ['a', 'b'].map((name) => ({ name, shape: [SHAPE] }))
    const delta = Array.from({ length: 2 * SHAPE }, (_, i) => i * i)
    const config: HarnessOptions['config'] = (defaults) => ({ ...defaults, model: { ...defaults.model, tensors } })
    const harness = cohort(testing, 5, { config, prg, update: () => updateOf(delta) })
    const uploads = maskedUploads(harness)
    expect(harness.runRound().phase).toBe('completed')
    const halves = (all: readonly number[]) => minus([all.slice(0, SHAPE), all.slice(SHAPE)])
    const [{ words }] = uploads as [(typeof uploads)[number]]
    const bits = ringBits(harness)
    return { read: halves([...words.update]).map((value) => signed(value, bits)), real: halves(delta) }
  }

  test('fails: one stream runs through all of them', () => {
    const { read, real } = difference(noblePrg)
    expect(agreeing(read, real)).toBe(0)
  })
  test('control: succeeds where the stream begins anew with each tensor', () => {
    const { read, real } = difference(streamOf((_, i, words) => words[i % SHAPE] as number))
    expect(read).toEqual(real)
  })
})

describe('a server that guesses the secrets of a round', () => {
  const GUESSES = 256

  function guess(weak: boolean) {
    const harness = cohort(testing, 5)
    const [victim] = pick(harness, 4) as [HarnessClient]
    if (weak) Object.assign(victim.env, { entropy: seededEntropy('seed 201') }) // 8 bits, where Flower's pairs have 28
    const thief = new Thief(harness)
    let maskKey = ''
    intercept(harness, ({ to, client, message }) => {
      if (to === 'server' && client === victim.id && message.type === 'setup') maskKey = toHex(message.maskKey)
      return undefined
    })
    expect(harness.runRound().phase).toBe('completed')
    for (let seed = 0; seed < GUESSES; seed++) {
      const entropy = seededEntropy(`seed ${seed}`)
      entropy.bytes(16) // the nonce of the round
      const secret = entropy.bytes(32)
      if (toHex(memoCurves.x25519Public(secret)) === maskKey) thief.know(secret)
    }
    return { stolen: thief.steal(victim), secret: secretOf(victim) }
  }

  test('fails', () => expect(guess(false).stolen).toBeUndefined())
  test('control: succeeds where they come from a seed of few bits', () => {
    const { stolen, secret } = guess(true)
    expect(stolen).toEqual(secret)
  })
})
