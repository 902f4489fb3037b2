import { noblePrg } from '@fedweave/aggregator'
import { nodePrg } from '@fedweave/aggregator/node'
import { prgContract } from '@fedweave/aggregator/testing'
import { describe, expect, test } from 'vitest'
import { ReusingPrg } from '../../../simulations/src/engine/reusing-prg.ts'

const KEY = new Uint8Array(32).fill(9)

describe('a mask generator that uses its accumulators again', () => {
  for (const { name, run } of prgContract(() => new ReusingPrg(nodePrg))) test(name, run)
  const used = new ReusingPrg(noblePrg)
  for (const { name, run } of prgContract(() => takenBack(used))) test(`${name}, in used memory`, run)
})

test('an accumulator that was taken back is lent again as zeros; one that is still lent is not', () => {
  const prg = new ReusingPrg(noblePrg)
  const [first, other] = [prg.accumulator(5), prg.accumulator(6)]
  first.addStream(KEY)
  expect(prg.accumulator(5)).not.toBe(first)
  prg.takeBack()
  const again = prg.accumulator(5)
  expect(again).toBe(first)
  expect(again.words).toEqual(new Uint32Array(5))
  expect(prg.accumulator(6)).toBe(other)
})

function takenBack(prg: ReusingPrg): ReusingPrg {
  prg.takeBack()
  return prg
}
