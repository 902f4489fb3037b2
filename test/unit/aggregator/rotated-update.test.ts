import type { TaskConfig } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'
import { hash } from '../../../aggregator/src/crypto/kdf.ts'
import { expand } from '../../../aggregator/src/crypto/prg.ts'
import { noblePrg } from '../../../aggregator/src/crypto/prg-noble.ts'
import { clipL2InPlace } from '../../../aggregator/src/quantise/clip.ts'
import { Rotation } from '../../../aggregator/src/quantise/rotation.ts'
import { UpdateFormat } from '../../../aggregator/src/secagg/update.ts'
import { parseTaskConfig } from '../../../aggregator/src/task/config.ts'
import { harnessConfig } from '../../../aggregator/src/testing/harness-task.ts'
import { seededEntropy } from '../../../aggregator/src/testing/seeded-entropy.ts'
import { cohortOf, sumOf } from './cohort.ts'

const SIZE = 10_000
const CLIENTS = 20
const CONTEXT = hash('a round')

function configOf(options: { clients?: number; size?: number; valueBits: number; rotation?: boolean }): TaskConfig {
  const { clients = CLIENTS, size = SIZE, ...secureAggregation } = options
  const defaults = harnessConfig(clients, size, '0'.repeat(64))
  return parseTaskConfig({
    ...defaults,
    secureAggregation: { ...defaults.secureAggregation, clipBound: 1, ...secureAggregation },
  })
}

/** As trained deltas are: most coordinates near nothing, a few hold the norm. */
function heavyTailed(client: number): Float32Array {
  const words = expand(noblePrg, hash('delta', client), SIZE)
  const delta = Float32Array.from(words, (word) => (word / 2 ** 31 - 1) ** 5)
  clipL2InPlace(delta, 0.9)
  return delta
}

/** Root mean square and largest error of a decoded mean of heavy-tailed deltas. */
function errorOf(config: TaskConfig, decodeContext = CONTEXT) {
  const format = new UpdateFormat(config)
  const sum = format.sum(noblePrg)
  const mean = new Float64Array(SIZE)
  for (let client = 0; client < CLIENTS; client++) {
    const delta = heavyTailed(client)
    for (let i = 0; i < SIZE; i++) mean[i] = (mean[i] as number) + (delta[i] as number) / CLIENTS
    sum.add(format.quantise({ delta, examples: 1, loss: 0, accuracy: 0 }, CONTEXT, noblePrg, seededEntropy(`round ${client}`)))
  }
  const { pseudoGradient } = sum.decode(CLIENTS, decodeContext)
  const errors = pseudoGradient.map((value, i) => value - (mean[i] as number))
  return {
    rms: Math.sqrt(errors.reduce((total, error) => total + error * error, 0) / SIZE),
    largest: errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0),
    step: format.step,
  }
}

describe('8 value bits with rotation', () => {
  const plain = errorOf(configOf({ valueBits: 8 }))
  const rotated = errorOf(configOf({ valueBits: 8, rotation: true }))
  const wide = errorOf(configOf({ valueBits: 11 }))

  test('take an eighth of the step', () => {
    expect(plain.step).toBe(1 / 127)
    expect(rotated.step).toBe(1 / 8 / 127)
  })

  test('give the mean of twenty clients with at most the stated deviation, half a step over sqrt(20)', () => {
    expect(rotated.rms).toBeLessThanOrEqual(rotated.step / 2 / Math.sqrt(CLIENTS))
    // a weighted sum of bounded errors: Hoeffding, for one coordinate in a billion of all
    expect(rotated.largest).toBeLessThanOrEqual(rotated.step * Math.sqrt(Math.log((2 * SIZE) / 1e-9) / (2 * CLIENTS)))
  })

  test('are six times as exact as 8 bits without, and about as exact as 11', () => {
    expect(plain.rms / rotated.rms).toBeGreaterThan(6)
    expect(rotated.rms / wide.rms).toBeLessThan(1.2)
  })

  test('are undone with the context of the round, and with no other', () => {
    expect(errorOf(configOf({ valueBits: 8, rotation: true }), hash('another round')).rms).toBeGreaterThan(20 * rotated.rms)
  })
})

test('a delta made to exceed the bound is cut down, and wraps nothing', () => {
  const format = new UpdateFormat(configOf({ clients: 3, valueBits: 8, rotation: true }))
  const delta = new Float32Array(SIZE)
  delta[5] = 1
  new Rotation(SIZE, hash('fw1/rotation', CONTEXT), noblePrg).inverseInPlace(delta) // rotated, it is all in one coordinate
  const sum = format.sum(noblePrg)
  for (let client = 0; client < 3; client++) {
    sum.add(format.quantise({ delta, examples: 1, loss: 0, accuracy: 0 }, CONTEXT, noblePrg, seededEntropy(`${client}`)))
  }
  const { pseudoGradient } = sum.decode(3, CONTEXT)
  const kept = pseudoGradient.reduce((total, value, i) => total + value * (delta[i] as number), 0)
  expect(kept).toBeCloseTo(1 / 8, 3) // the part of the delta that its bound leaves
})

test('a whole round with dropouts decodes the mean of who stayed', () => {
  const harness = cohortOf(10, {
    size: 300,
    config: (defaults) => ({
      ...defaults,
      secureAggregation: { ...defaults.secureAggregation, clipBound: 1, valueBits: 16, rotation: true },
    }),
    update: (index) => ({ delta: new Float32Array(300).fill(1, index, index + 1), examples: 1, loss: 1, accuracy: 0.5 }),
  })
  const { network } = harness
  const victim = harness.clients[4]
  harness.network = (envelope) => {
    if (victim && envelope.client === victim.id && envelope.message.type === 'ack') victim.alive = false
    return network(envelope)
  }
  expect(harness.runRound().phase).toBe('completed')
  expect(sumOf(harness).map((sum) => sum + 0)).toEqual(Array.from({ length: 300 }, (_, i) => (i < 10 && i !== 4 ? 1 : 0)))
})

describe('an upload of a hundred clients', () => {
  const bytesOf = (options: { valueBits: number; rotation?: boolean }) => {
    const size = 1_000_000
    const format = new UpdateFormat(configOf({ clients: 100, size, ...options }))
    return { plain: (format.plainBytes - 16) / size, sealed: format.sealedBytes / size }
  }

  test('takes at most 3 bytes a parameter with 16 value bits', () => {
    const { plain, sealed } = bytesOf({ valueBits: 16 })
    expect(plain).toBe(23 / 8)
    expect(sealed).toBeLessThanOrEqual(3)
  })

  test('takes 15 bits a parameter with 8 and rotation', () => {
    const { plain, sealed } = bytesOf({ valueBits: 8, rotation: true })
    expect(plain).toBe(15 / 8)
    expect(sealed).toBeLessThanOrEqual(1.9)
  })
})

describe('the config', () => {
  const raw = (rotation: unknown) => {
    const defaults = harnessConfig(3, 16, '0'.repeat(64))
    return { ...defaults, secureAggregation: { ...defaults.secureAggregation, rotation } }
  }

  test('keeps the choice, and a config without it lacks the field', () => {
    expect(parseTaskConfig(raw(true)).secureAggregation.rotation).toBe(true)
    expect(parseTaskConfig(raw(false)).secureAggregation.rotation).toBe(false)
    expect(JSON.stringify(parseTaskConfig(raw(undefined)).secureAggregation)).toBe(
      '{"clipBound":32767,"valueBits":16,"weighting":"uniform","maxWeight":1}',
    )
  })

  test.each(['yes', 1, null])('refuses %j', (rotation) => {
    expect(() => parseTaskConfig(raw(rotation))).toThrow(
      expect.objectContaining({
        code: 'FL_CONFIG_INVALID',
        message: `secureAggregation.rotation: expected true or false, got ${JSON.stringify(rotation)}`,
      }),
    )
  })
})

test.each([
  ['inside the clip bound', 1],
  ['that is clipped', 5],
])('quantising leaves a delta %s as it is, rotated or not', (_, scale) => {
  for (const rotation of [true, false]) {
    const delta = heavyTailed(1).map((value) => value * scale)
    const before = delta.slice()
    const format = new UpdateFormat(configOf({ valueBits: 8, rotation }))
    format.quantise({ delta, examples: 1, loss: 0, accuracy: 0 }, CONTEXT, noblePrg, seededEntropy('rounding'))
    expect(delta).toEqual(before)
  }
})
