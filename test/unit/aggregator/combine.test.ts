import { COMBINE_RULES, type CohortMean, combineCohorts } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'

const cohort = (values: readonly number[], weight = 1): CohortMean => ({ pseudoGradient: Float32Array.from(values), weight })

describe('combining cohorts', () => {
  test.each(COMBINE_RULES)('%s of one cohort is that cohort', (rule) => {
    expect([...combineCohorts(rule, [cohort([1, -2, 3])])]).toEqual([1, -2, 3])
  })

  test('the mean is weighted', () => {
    expect([...combineCohorts('mean', [cohort([1, 0], 3), cohort([5, 8], 1)])]).toEqual([2, 2])
  })

  test('the median takes the middle of each coordinate, or the mean of the two middles', () => {
    expect([...combineCohorts('median', [cohort([1, 9]), cohort([2, -7]), cohort([1000, 3])])]).toEqual([2, 3])
    expect([...combineCohorts('median', [cohort([1]), cohort([2]), cohort([4]), cohort([1e6])])]).toEqual([3])
  })

  test('the trimmed mean leaves out a fifth at each end of each coordinate', () => {
    const cohorts = [[1], [2], [3], [4], [-1e6]].map((values) => cohort(values))
    expect([...combineCohorts('trimmed-mean', cohorts)]).toEqual([2])
  })

  test('norm-bounded scales each cohort down to the median norm', () => {
    expect([...combineCohorts('norm-bounded', [cohort([3, 4]), cohort([0, 5]), cohort([500, 0])])]).toEqual([
      Math.fround(8 / 3),
      3,
    ])
  })

  test.each(['median', 'trimmed-mean', 'norm-bounded'] as const)(
    '%s: one poisoned cohort of five moves no honest coordinate beyond the honest ones',
    (rule) => {
      const honest = [0.9, 1, 1.1, 1.2].map((x) => cohort([x, -x]))
      const poisoned = cohort([-1e6, 1e6])
      const [x, y] = combineCohorts(rule, [...honest, poisoned]) as unknown as [number, number]
      const bound = rule === 'norm-bounded' ? 0.5 : 0.9 // a bounded voice still pulls by a fifth of its bounded length, twice
      expect(x).toBeGreaterThanOrEqual(Math.fround(bound) - 1e-6)
      expect(y).toBeLessThanOrEqual(-Math.fround(bound) + 1e-6)
    },
  )

  test('the mean, by contrast, goes where one poisoned cohort pulls it', () => {
    const [x] = combineCohorts('mean', [cohort([1]), cohort([1]), cohort([-1e6])])
    expect(x).toBeLessThan(-300_000)
  })

  test('no cohort, or cohorts of two lengths, are refused', () => {
    expect(() => combineCohorts('mean', [])).toThrow('at least one')
    expect(() => combineCohorts('mean', [cohort([1]), cohort([1, 2])])).toThrow('of one length')
  })
})
