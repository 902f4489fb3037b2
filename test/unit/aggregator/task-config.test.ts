import { FedweaveError, parseTaskConfig, type TaskConfig } from '@fedweave/aggregator'
import { describe, expect, test } from 'vitest'
import { cohortOf } from './cohort.ts'

const { config } = cohortOf(10)

/** The config with some fields of one group changed. */
function withFields<G extends keyof TaskConfig>(group: G, changes: Record<string, unknown>): unknown {
  return { ...config, [group]: { ...(config[group] as object), ...changes } }
}

function messageOf(raw: unknown): string {
  try {
    parseTaskConfig(raw)
  } catch (error) {
    if (!(error instanceof FedweaveError)) throw error
    expect(error.code).toBe('FL_CONFIG_INVALID')
    return error.message
  }
  return 'no error'
}

test('a config parses to itself', () => {
  expect(parseTaskConfig(JSON.parse(JSON.stringify(config)))).toEqual(config)
})

describe('a field out of range is named, with what it takes and what it got', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [{ ...config, protocol: 'fedweave/v0' }, 'protocol: expected one of "fedweave/v1", got "fedweave/v0"'],
    [{ ...config, rounds: 0 }, 'rounds: expected an integer from 1 to 1000000, got 0'],
    [{ ...config, initialModel: 'AB' }, 'initialModel: expected 64 lowercase hex digits, got "AB"'],
    [{ ...config, model: undefined }, 'model: expected an object, got nothing'],
    [withFields('model', { tensors: [] }), 'model.tensors: expected a list of 1 to 10000 items, got []'],
    [
      withFields('model', { tensors: [{ name: 'w', shape: [0] }] }),
      'model.tensors[0].shape[0]: expected an integer from 1 to 268435456, got 0',
    ],
    [withFields('plan', { learningRate: 0 }), 'plan.learningRate: expected a number above 0 and at most 100, got 0'],
    [withFields('plan', { learningRate: Number.NaN }), 'plan.learningRate: expected a number above 0 and at most 100, got null'],
    [
      withFields('secureAggregation', { weighting: 'loss' }),
      'secureAggregation.weighting: expected one of "uniform", "examples", got "loss"',
    ],
    [withFields('cohort', { minimum: 2 }), 'cohort.minimum: expected an integer from 3 to 10000, got 2'],
    [withFields('secureAggregation', { dropout: 0.6 }), 'secureAggregation.dropout: expected a number from 0 to 0.5, got 0.6'],
    [withFields('deadlines', { setupMs: 1.5 }), 'deadlines.setupMs: expected an integer from 100 to 86400000, got 1.5'],
    [
      { ...config, eligibility: { runtimes: ['deno'] } },
      'eligibility.runtimes[0]: expected one of "node", "browser", got "deno"',
    ],
    [{ ...config, eligibility: { runtimes: [] } }, 'eligibility.runtimes: expected a list of 1 to 2 items, got []'],
    [
      { ...config, eligibility: { minimumExamples: 0 } },
      'eligibility.minimumExamples: expected an integer from 1 to 1000000000, got 0',
    ],
    [
      { ...config, eligibility: { minimumAge: 18 } },
      'eligibility.minimumAge: unknown field; known here: minimumExamples, runtimes, text',
    ],
    [withFields('enrolment', { holder: 'me' }), 'enrolment.holder: expected one of "external", "server", got "me"'],
    [withFields('enrolment', { holer: 'server' }), 'enrolment.holer: unknown field; known here: key, holder'],
  ]
  for (const [raw, message] of cases) test(message, () => expect(messageOf(raw)).toBe(message))

  test('a prototype key is an unknown field like any other', () => {
    const raw = JSON.parse(JSON.stringify(config).replace('"rounds":10', '"rounds":10,"__proto__":{"rounds":1}'))
    expect(messageOf(raw)).toMatch(/^__proto__: unknown field/)
  })
})

describe('fields that do not fit together name the one to change', () => {
  test('a target below the minimum', () => {
    expect(messageOf(withFields('cohort', { minimum: 5, target: 4 }))).toBe('cohort.target: 4 is below cohort.minimum 5')
  })

  test('more invited clients than a cohort takes', () => {
    expect(messageOf(withFields('cohort', { target: 8000, overSelection: 1.26 }))).toBe(
      'cohort.overSelection: 8000 clients x 1.26 exceed the 10000 of one cohort',
    )
    expect(messageOf(withFields('cohort', { target: 8000, overSelection: 1.25 }))).toBe('no error')
  })

  test('a robust rule over too few cohorts', () => {
    const raw = (groups?: number) => ({
      ...config,
      strategy: { name: 'fedavg', combine: 'median' },
      cohort: { ...config.cohort, ...(groups === undefined ? {} : { groups }) },
    })
    expect(messageOf(raw())).toBe('strategy.combine: median needs cohort.groups >= 3, got 1')
    expect(messageOf(raw(2))).toBe('strategy.combine: median needs cohort.groups >= 3, got 2')
    expect(messageOf(raw(3))).toBe('no error')
  })

  test('a weight under uniform weighting', () => {
    expect(messageOf(withFields('secureAggregation', { maxWeight: 2 }))).toBe(
      'secureAggregation.maxWeight: must be 1 with uniform weighting, got 2',
    )
    expect(messageOf(withFields('secureAggregation', { maxWeight: 2, weighting: 'examples' }))).toBe('no error')
  })

  test('more corrupt clients than the smallest cohort bears', () => {
    expect(messageOf(withFields('secureAggregation', { corrupt: 2 }))).toBe(
      'secureAggregation.corrupt: 2 corrupt clients need cohort.minimum >= 4, got 3',
    )
    expect(messageOf(withFields('secureAggregation', { corrupt: 1 }))).toBe('no error')
  })

  test('values and weights whose sum could wrap in every ring', () => {
    const raw = withFields('secureAggregation', { valueBits: 24, weighting: 'examples', maxWeight: 65_535 })
    expect(messageOf(raw)).toMatch(/at 24 bits the total weight may be 256$/)
  })
})
