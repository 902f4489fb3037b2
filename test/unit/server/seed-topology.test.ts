import { expect, test } from 'vitest'
import { seedTopology } from '../../../server/src/seed-topology.ts'

const initialiser = (class_name: string, seed?: number) => ({ class_name, config: seed === undefined ? {} : { seed } })
const topology = (...pairs: readonly (readonly [kernel: object, bias: object])[]) =>
  JSON.stringify({
    class_name: 'Sequential',
    config: {
      layers: pairs.map(([kernel_initializer, bias_initializer]) => ({ config: { kernel_initializer, bias_initializer } })),
    },
  })

test('each initialiser that draws gets a seed of its own, in order; those that draw nothing stay as they are', () => {
  const before = topology(
    [initialiser('VarianceScaling', 99), initialiser('Zeros')],
    [initialiser('RandomNormal'), initialiser('Ones')],
    [initialiser('GlorotUniform'), initialiser('Constant')],
  )
  expect(seedTopology(before, 2 ** 32 - 2)).toBe(
    topology(
      [initialiser('VarianceScaling', 2 ** 32 - 2), initialiser('Zeros')],
      [initialiser('RandomNormal', 2 ** 32 - 1), initialiser('Ones')],
      [initialiser('GlorotUniform', 0), initialiser('Constant')],
    ),
  )
})

test('a topology without one, or that is no JSON, is refused by the field', () => {
  expect(() => seedTopology(topology([initialiser('Zeros'), initialiser('Ones')]), 1)).toThrow(/^model\.seed: /)
  expect(() => seedTopology('{', 1)).toThrow(/^model\.topology: /)
})
