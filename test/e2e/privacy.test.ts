import { describe, expect, test } from 'vitest'
import { fedweave } from './run-cli.ts'

const graph = (...options: string[]) => fedweave('privacy', 'graph', ...options)

describe('fedweave privacy graph', () => {
  test('prints k and t of a sparse graph with its probabilities and reasons', async () => {
    const { code, json } = await graph('--clients', '1000', '--corrupt', '0.05', '--dropout', '0.05', '--json')
    expect(code).toBe(0)
    expect(json).toMatchObject({ graph: 'sparse', clients: 1000, corrupt: 50, dropped: 50, k: 52, t: 37, corruptHolders: 20 })
    expect(json.log2Privacy).toBeCloseTo(-41.43, 2)
    expect(json.log2Correctness).toBeCloseTo(-21.38, 2)
    expect(json.log2Isolation).toBeCloseTo(-3486.21, 2)
    expect(json.why).toContain('each client chooses 52 share-holders; with its own that makes 53 shares, of at most 255')
  })

  test('takes 10 % corrupt and 10 % dropping out unless told otherwise', async () => {
    const { json } = await graph('--clients', '10000', '--json')
    expect(json).toMatchObject({ corrupt: 1000, dropped: 1000, k: 122, t: 85 })
  })

  test('prints the complete graph up to 200 clients, in which nothing is left to chance', async () => {
    const { code, json } = await graph('--clients', '200', '--json')
    expect(code).toBe(0)
    expect(json).toMatchObject({ graph: 'complete', corrupt: 20, dropped: 20, k: 199, t: 111, log2Privacy: null })
    const sparse = await graph('--clients', '201', '--json')
    expect(sparse.json).toMatchObject({ graph: 'sparse', k: 57, t: 40 })
    const few = await graph('--clients', '10', '--json')
    expect(few.json).toMatchObject({ corrupt: 1, dropped: 2, k: 9, t: 6 })
  })

  test('says the same in words', async () => {
    const { stdout } = await graph('--clients', '1000')
    expect(stdout.split('\n')[0]).toBe('k = 97, t = 68')
    expect(stdout).toContain('leaks more than its sum with a probability of 2^-42.5: at most 2^-40 is allowed')
  })

  test('refuses what cannot be had with 1, naming the nearest that can', async () => {
    const sparse = await graph('--clients', '1000', '--corrupt', '0.2', '--dropout', '0.2', '--json')
    expect([sparse.code, sparse.json.error?.code]).toEqual([1, 'FL_OUT_OF_RANGE'])
    expect(sparse.json.error?.message).toMatch(
      /: 20 % corrupt with 17.6 % dropping out, or 15.6 % corrupt with 20 % dropping out$/,
    )
    const complete = await graph('--clients', '100', '--corrupt', '0.33', '--dropout', '0.4', '--json')
    expect([complete.code, complete.json.error?.code]).toEqual([1, 'FL_OUT_OF_RANGE'])
    expect(complete.json.error?.message).toMatch(/: 33 corrupt with 33 dropping out, or 19 corrupt with 40 dropping out$/)
    for (const [corrupt, dropout] of [
      ['0.33', '0.33'],
      ['0.19', '0.4'],
    ] as const) {
      const { code } = await graph('--clients', '100', '--corrupt', corrupt, '--dropout', dropout)
      expect(code).toBe(0)
    }
  })

  test.each([
    [['--clients', '2'], '--clients takes an integer from 3 to 10000, got "2"'],
    [['--clients', '10001'], '--clients takes an integer from 3 to 10000, got "10001"'],
    [['--clients', '300', '--corrupt', '1.1'], '--corrupt takes a number from 0 to 1, got "1.1"'],
    [['--clients', '300', '--dropout', 'some'], '--dropout takes a number from 0 to 1, got "some"'],
    [[], "required option '--clients <n>' not specified"],
  ])('refuses %j with 2', async (options, message) => {
    const { code, json } = await graph(...options, '--json')
    expect([code, json.error?.code, json.error?.message]).toEqual([2, 'FL_USAGE', message])
  })
})
