import { parseTaskConfig, roundsOfBurst } from '@fedweave/aggregator'
import { expect, test } from 'vitest'
import { outlookOf } from '../../../server/src/coordinator/outlook.ts'
import { cohortOf } from '../aggregator/cohort.ts'

const { config } = cohortOf(10)
const once = parseTaskConfig({ ...config, rounds: 2 })
const continuous = parseTaskConfig({
  ...config,
  rounds: 2,
  continuous: true,
  cohort: { ...config.cohort, minimum: 3, groups: 2 },
})

test('a task that is not continuous is finished after its rounds, whatever clients report', () => {
  expect([0, 1, 2, 3].map((committed) => outlookOf(once, committed, { reports: 100 }))).toEqual([
    'rounds',
    'rounds',
    'finished',
    'finished',
  ])
})

test('a continuous one rests after each burst until as many clients have new data as a round of all cohorts needs', () => {
  const outlook = (reports: number) => [0, 1, 2, 3, 4, 5].map((committed) => outlookOf(continuous, committed, { reports }))
  expect(outlook(5)).toEqual(['rounds', 'rounds', 'resting', 'rounds', 'resting', 'rounds'])
  expect(outlook(6)).toEqual(Array(6).fill('rounds'))
})

test('the rounds planned are those up to the next rest', () => {
  expect([0, 1, 2, 3, 4, 5].map((n) => roundsOfBurst(continuous, n))).toEqual([2, 2, 2, 4, 4, 6])
  expect([0, 2, 3].map((n) => roundsOfBurst(once, n))).toEqual([2, 2, 2])
})
