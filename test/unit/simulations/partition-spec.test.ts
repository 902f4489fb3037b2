import { describe, expect, test } from 'vitest'
import { PARTITIONERS, parsePartition, partition } from '../../../simulations/src/partition/spec.ts'

const labels = Int32Array.from({ length: 100 }, (_, i) => i % 4)
const data = { labels, classes: 4 }

describe('a partition on the command line', () => {
  test('is a name, and parameters after a colon', () => {
    expect(parsePartition('dirichlet:alpha=0.3,min-size=5,self-balancing')).toEqual({
      name: 'dirichlet',
      alpha: 0.3,
      'min-size': 5,
      'self-balancing': true,
    })
    expect(parsePartition('iid')).toEqual({ name: 'iid' })
  })

  test.each([
    ['dirichlett', 'there is no partition "dirichlett", did you mean dirichlet? There are: '],
    ['xyzzy-nothing', 'there is no partition "xyzzy-nothing". There are: '],
    [
      'dirichlet:alfa=1',
      'partition dirichlet has no parameter "alfa", did you mean alpha? There are: alpha, min-size, self-balancing',
    ],
    ['iid:alpha=1', 'partition iid has no parameter "alpha". There are: none'],
    ['dirichlet:alpha=0', 'dirichlet:alpha takes a number above 0, got "0"'],
    ['shard:shards=1.5', 'shard:shards takes an integer of 1 or more, got "1.5"'],
    ['dirichlet:self-balancing=maybe', 'dirichlet:self-balancing takes true or false, got "maybe"'],
  ])('%s is refused with what there is', (text, message) => {
    expect(() => parsePartition(text)).toThrow(
      expect.objectContaining({ code: 'FL_USAGE', message: expect.stringContaining(message) }),
    )
  })

  test('an unknown name lists every partitioner', () => {
    for (const name of Object.keys(PARTITIONERS)) expect(() => parsePartition('?')).toThrow(name)
  })
})

describe('what cannot be is refused with the reason', () => {
  test.each([
    [{ name: 'iid' }, 101, 'expected 1 to 100 clients for 100 examples, got 101'],
    [{ name: 'iid' }, 0, 'expected 1 client or more, got 0'],
    [{ name: 'dirichlet', 'min-size': 11 }, 10, '10 clients with 11 examples each need more than the 100 there are'],
    [
      { name: 'dirichlet', alpha: 0.001, 'min-size': 10 },
      10,
      'in 100 draws with alpha 0.001 some of 10 clients had fewer than 10 examples',
    ],
    [{ name: 'pathological', classes: 5 }, 10, '5 classes a client of 4 that have examples'],
    [{ name: 'pathological', classes: 1 }, 3, '3 clients with 1 classes each leave some of 4 classes to nobody'],
    [{ name: 'shard', shards: 2, size: 30 }, 2, '2 clients x 2 shards are 4, and 100 examples make 3 shards of 30'],
    [{ name: 'shard', shards: 2 }, 51, '51 clients x 2 shards are 102, and 100 examples make 100 shards of one example'],
    [{ name: 'exponential' }, 20, '100 examples in such parts leave client 0 of 20 none'],
    [{ name: 'natural' }, 4, 'these data have no natural clients'],
  ])('%j for %i clients', (spec, clients, message) => {
    expect(() => partition(spec, data, clients, 1)).toThrow(
      expect.objectContaining({ code: 'FL_OUT_OF_RANGE', message: expect.stringContaining(message) }),
    )
  })

  test('another number of clients than the data come from, alone or in groups', () => {
    const natural = { ...data, ids: labels }
    expect(() => partition({ name: 'natural' }, natural, 5, 1)).toThrow('the data come from 4 clients, not 5')
    expect(() => partition({ name: 'grouped', size: 3 }, natural, 1, 1)).toThrow(
      '4 natural clients in groups of 3 make 2 clients, not 1',
    )
  })
})

test('self-balancing keeps every client near its even share where plain Dirichlet does not', () => {
  const many = { labels: Int32Array.from({ length: 10_000 }, (_, i) => i % 20), classes: 20 }
  const most = (balanced: boolean) => {
    const dealt = partition({ name: 'dirichlet', alpha: 0.1, 'min-size': 1, 'self-balancing': balanced }, many, 10, 3)
    return Math.max(...Array.from({ length: 10 }, (_, client) => dealt.sizeOf(client)))
  }
  expect(most(true)).toBeLessThan(1500 + 1) // its share of 1,000, and at most the class of 500 that went over it
  expect(most(false)).toBeGreaterThan(most(true))
})

test('a label count adds up to what the client has', () => {
  const dealt = partition({ name: 'shard', shards: 1 }, data, 4, 1)
  const counts = Array.from({ length: 4 }, (_, client) => dealt.labelCounts(client, labels, 4))
  for (const [client, own] of counts.entries()) expect(own.reduce((a, b) => a + b)).toBe(dealt.sizeOf(client))
  expect(counts.map((own) => own.filter(Boolean))).toEqual([[25], [25], [25], [25]])
})
