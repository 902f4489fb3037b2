import { MAX_COHORT, noblePrg } from '@fedweave/aggregator'
import { seededEntropy } from '@fedweave/aggregator/testing'
import { expect } from 'vitest'
import { attack, cohort, updateOf } from './attack.ts'

attack(`a sum of ${MAX_COHORT} clients that all send the largest value`, {
  off: ['ring-holds-the-sum'],
  run: (aggregator) => {
    const { format } = cohort(aggregator, 3, {
      size: 2,
      config: (defaults) => ({ ...defaults, cohort: { ...defaults.cohort, target: MAX_COHORT } }),
    })
    const context = new Uint8Array(32)
    return [32767, -32767].map((largest) => {
      const sum = format.sum(noblePrg)
      const update = format.quantise(updateOf([largest, 0]), context, noblePrg, seededEntropy('rounding'))
      for (let i = 0; i < MAX_COHORT; i++) sum.add(update)
      return [...sum.decode(MAX_COHORT, context).pseudoGradient]
    })
  },
  fails: (means) => {
    expect(means).toEqual([
      [32767, 0],
      [-32767, 0],
    ])
  },
  // As in a ring made for 2,048 clients, which Flower's is: the mean of the others decodes to something else.
  succeeds: (means) => {
    for (const [i, mean] of means.entries())
      expect(Math.abs((mean[0] as number) - (i === 0 ? 32767 : -32767))).toBeGreaterThan(1000)
  },
})
