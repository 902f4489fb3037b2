import { lagrangeAtZero, Quantiser, Ring } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { Counters } from '../../aggregator/src/quantise/counters.ts'
import { hexed } from './hex.ts'
import { aggregateOf, newWeights, trainedBy, updateOf } from './round.ts'
import { clients, config, dropout, graph, known, SEED, survivors } from './world.ts'

const WIDTHS = [8, 9, 12, 16, 17, 23, 31, 32]

export function ringVectors() {
  const entropy = seededEntropy(`${SEED}/ring`)
  return WIDTHS.map((bits) => {
    const words = new Uint32Array(entropy.bytes(28).buffer) // seven words: no width but 8, 16 and 32 ends on a byte
    return { bits, words: [...words], packed: hexed(new Ring(bits).pack(words)) }
  })
}

export function shamirVectors() {
  const points = [2, 3, 4, 6]
  return hexed({
    threshold: graph.threshold,
    maskSecrets: clients.map(({ id, maskSecret, maskKeyCoefficients, maskKeyShares }) => ({
      client: id,
      secret: maskSecret,
      coefficients: maskKeyCoefficients,
      shares: maskKeyShares,
    })),
    selfSeeds: clients.map(({ id, selfSeed, selfSeedCoefficients, selfSeedShares }) => ({
      client: id,
      secret: selfSeed,
      coefficients: selfSeedCoefficients,
      shares: selfSeedShares,
    })),
    lagrange: [
      { points, factors: lagrangeAtZero(points) },
      { points: [1, 2, 255], factors: lagrangeAtZero([1, 2, 255]) },
    ],
  })
}

const QUANTISERS = [
  { clipBound: 1, valueBits: 8, totalWeight: 4, weight: 1 },
  { clipBound: 0.5, valueBits: 2, totalWeight: 100, weight: 3 },
  { clipBound: 10, valueBits: 16, totalWeight: 1000, weight: 250 },
  { clipBound: 10, valueBits: 24, totalWeight: 256, weight: 1 },
]
/** Multiples of the clip bound: exact in float32, or rounded to it before use. */
const FRACTIONS = [0, 1, -1, 0.3, -0.3, 0.999, 1e-6, 2, -2]

export function quantiserVectors() {
  const entropy = seededEntropy(`${SEED}/quantiser`)
  return QUANTISERS.map(({ weight, ...options }) => {
    const quantiser = new Quantiser(options)
    const delta = Float32Array.from(FRACTIONS, (fraction) => fraction * options.clipBound)
    const random = new Uint32Array(entropy.bytes(4 * delta.length).buffer)
    const words = quantiser.encode(delta, weight, random)
    const decoded = quantiser.decode(words, weight)
    return {
      options,
      ringBits: quantiser.ring.bits,
      weight,
      delta: [...delta],
      random: [...random],
      words: [...words],
      decoded: [...decoded],
    }
  })
}

export function counterVectors() {
  return [
    { totalWeight: 4, counters: { weight: 1, loss: 0.5, accuracy: 0.75, clipped: false } },
    { totalWeight: 10_000, counters: { weight: 250, loss: Math.LN10, accuracy: 0.1, clipped: true } },
    { totalWeight: 10, counters: { weight: 1, loss: 1000, accuracy: 1, clipped: true } },
    { totalWeight: 10, counters: { weight: 1, loss: -1, accuracy: 0, clipped: false } },
  ].map(({ totalWeight, counters }) => ({ totalWeight, counters, words: [...new Counters(totalWeight).encode(counters)] }))
}

/** The updates of the vectors' round, from trained delta to sealed bytes, and what they sum to. */
export function updateVectors() {
  const { secureAggregation, cohort, model } = config
  const { pseudoGradient, weight, counters } = aggregateOf()
  return {
    config: { secureAggregation, cohort, tensors: model.tensors },
    dropout: dropout.id,
    updates: survivors.map((client) => {
      const { delta, ...report } = trainedBy(client)
      const { plain, masked, key, sealed } = updateOf(client)
      return {
        client: client.id,
        trained: { ...report, delta: [...delta] },
        rounding: hexed(known(client.roundingKey)),
        words: [...plain.update],
        counters: [...plain.counters],
        ...hexed({ masked, key, sealed }),
      }
    }),
    aggregate: { pseudoGradient: [...pseudoGradient], weight, counters: known(counters), newWeights: [...newWeights()] },
  }
}
