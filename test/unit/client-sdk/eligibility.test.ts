import { expect, test } from 'vitest'
import { checkEligibility } from '../../../client-sdk/src/eligibility.ts'

const client = { examples: 50, runtime: 'node' } as const

test('a task without conditions, or whose conditions are just met, takes every client', () => {
  expect(() => checkEligibility({}, { ...client, examples: 1 })).not.toThrow()
  expect(() => checkEligibility({ minimumExamples: 50, runtimes: ['browser', 'node'], text: 'adults' }, client)).not.toThrow()
})

test('the first condition that is not met is named, with what was asked for and what is there', () => {
  const told = (conditions: Parameters<typeof checkEligibility>[0]) => {
    try {
      checkEligibility(conditions, client)
    } catch (error) {
      return (error as { toJSON(): object }).toJSON()
    }
    return undefined
  }
  expect(told({ minimumExamples: 51 })).toMatchObject({
    code: 'FL_NOT_ELIGIBLE',
    message: 'the task asks for 51 examples at least, and this client has 50',
    cure: expect.stringContaining('eligibility'),
  })
  expect(told({ minimumExamples: 51, runtimes: ['browser'] })).toMatchObject({
    code: 'FL_NOT_ELIGIBLE',
    message: 'the task is for clients in browser, and this one runs in node',
  })
})
