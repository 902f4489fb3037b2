import { describe, expect, test } from 'vitest'
import { gridOf, rowsOf, tableOf } from '../../../simulations/src/sweep/sweep.ts'
import { resultOf } from './result-for-tests.ts'

describe('a sweep', () => {
  test('takes every combination with every seed', () => {
    const grid = gridOf(['learning-rate=0.1,0.01', 'partition=iid;dirichlet:alpha=0.1,min-size=1'], 2, 7)
    expect(grid).toHaveLength(8)
    expect(grid[0]).toEqual({
      name: 'learning-rate=0.1 partition=iid',
      fields: { learningRate: '0.1', partition: 'iid', seed: '7' },
    })
    expect(grid.at(-1)?.fields).toEqual({ learningRate: '0.01', partition: 'dirichlet:alpha=0.1,min-size=1', seed: '8' })
    expect(new Set(grid.map((setting) => JSON.stringify(setting))).size).toBe(8)
  })

  test('of nothing but seeds has one setting', () => {
    expect(gridOf([], 3, 1).map(({ name, fields }) => [name, fields.seed])).toEqual([
      ['', '1'],
      ['', '2'],
      ['', '3'],
    ])
  })

  test('cannot vary what is no setting', () => {
    expect(() => gridOf(['workers=1,2'], 1, 1)).toThrow(expect.objectContaining({ code: 'FL_USAGE' }))
  })

  test('gives mean and sample deviation over the seeds, and when the target was reached', () => {
    const done = [0.5, 0.7, 0.9].map((metric, i) => ({
      setting: { name: 'epochs=1', fields: { seed: String(i) } },
      result: { ...resultOf({ metric }), ...(i > 0 ? { reached: 10 * i } : {}) },
    }))
    const [row] = rowsOf(done)
    expect(row).toMatchObject({ setting: 'epochs=1', runs: 3, least: 0.5, most: 0.9, reached: { round: 15, runs: 2 } })
    expect(row?.mean).toBeCloseTo(0.7, 12)
    expect(row?.deviation).toBeCloseTo(0.2, 12)
    const { text, csv } = tableOf(done, 'accuracy')
    expect(text.split('\n')[1]).toMatch(/^epochs=1 +3 +0\.7000 +0\.2000 +0\.5000 +0\.9000 +round 15\.0 \(2 of 3\)$/)
    expect(csv.split('\n')[1]).toBe('epochs=1,3,0.7000,0.2000,0.5000,0.9000,round 15.0 (2 of 3)')
  })
})
