import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Member } from '../../../server/src/coordinator/members.ts'
import { Recruiting } from '../../../server/src/coordinator/recruiting.ts'
import { cohortOf } from '../aggregator/cohort.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a time to wait that ends while no round may open is waited anew when one may', () => {
  const { config: base } = cohortOf(10)
  const config = { ...base, cohort: { minimum: 3, target: 10, overSelection: 1 } }
  const opened: number[] = []
  const three = Array.from({ length: 3 }, () => ({}) as Member)
  let candidates: readonly Member[] | undefined = three
  const recruiting = new Recruiting({
    config,
    candidates: () => candidates,
    open: ({ length }) => opened.push(length),
    tooFew: (message) => expect.unreachable(message),
  })
  recruiting.consider()
  candidates = undefined
  vi.advanceTimersByTime(config.deadlines.recruitingMs)
  candidates = three
  recruiting.consider()
  vi.advanceTimersByTime(config.deadlines.recruitingMs - 1)
  expect(opened).toEqual([])
  vi.advanceTimersByTime(1)
  expect(opened).toEqual([3])
})
