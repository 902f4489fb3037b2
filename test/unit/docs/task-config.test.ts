import { expect, test } from 'vitest'
import { parseTaskConfig } from '../../../aggregator/src/task/config.ts'
import { taskSpec } from '../../../server/src/task-spec.ts'
import { page, tableRows } from './pages.ts'
import { cellsOf, fieldsOf, type Schema } from './schema.ts'

const [written = '', signed = ''] = page('docs/reference/task-config.md').split('## What clients check')
const fields = fieldsOf(taskSpec as Schema)

test('the page lists every field that an operator writes, and no other', () => {
  expect(tableRows(written).map(([field]) => field)).toEqual(fields.map(({ path }) => `\`${path}\``))
})

test.each(fields)('$path stands there with the type, range and default of the schema', (field) => {
  const [, type, range, fallback, meaning] = tableRows(written).find(([shown]) => shown === `\`${field.path}\``) ?? []
  const expected = cellsOf(field)
  expect({ type, default: fallback }).toEqual({ type: expected.type, default: expected.default })
  if (expected.range !== undefined) expect(range).toBe(expected.range)
  expect(meaning).toMatch(/\.$/)
})

test('the page lists every field that clients check, here or above, and no other', () => {
  const shown = tableRows(signed).map(([field]) => field)
  const shared = fields.map(({ path }) => `\`${path}\``).filter((path) => !path.startsWith('`model.'))
  const checked = leaves('', CONFIG).map((path) => `\`${path}\``)
  expect(checked.filter((path) => !shared.includes(path)).sort()).toEqual(shown.sort())
})

/** A config with every object in it that the parser knows. */
const CONFIG = {
  protocol: 'fedweave/v1',
  taskId: 't',
  rounds: 1,
  model: { topology: '{}', inputShape: [2, 2, 1], classes: 2, tensors: [{ name: 'w', shape: [1] }] },
  initialModel: '0'.repeat(64),
  plan: {
    epochs: 1,
    batchSize: 1,
    optimizer: 'sgd',
    learningRate: 1,
    decay: { kind: 'cosine' },
    validation: { fraction: 0.5 },
    normalise: { mean: [0], std: [1] },
    augment: { shift: 1 },
  },
  strategy: { name: 'fedavg' },
  cohort: { minimum: 3, target: 3, overSelection: 1 },
  secureAggregation: { clipBound: 1, valueBits: 8, weighting: 'uniform', maxWeight: 1 },
  deadlines: { recruitingMs: 100, setupMs: 100, collectingMs: 100, confirmingMs: 100, unmaskingMs: 100 },
  eligibility: {},
  enrolment: { key: '0'.repeat(64), holder: 'server' },
}

type Json = { [key: string]: unknown }

/** The paths of the fields that hold a value, as the parser itself lists them: it names all it knows beside an unknown one. */
function leaves(path: string, object: Json): string[] {
  return knownAt(path).flatMap((name) => {
    const at = path === '' ? name : `${path}.${name}`
    const value = object[name]
    const item = Array.isArray(value) ? value[0] : value
    if (typeof item !== 'object') return [at]
    return leaves(Array.isArray(value) ? `${at}[]` : at, item as Json)
  })
}

function knownAt(path: string): string[] {
  const config = structuredClone(CONFIG)
  let object: Json = config
  for (const step of path === '' ? [] : path.split('.')) {
    const value = object[step.replace('[]', '')]
    object = (Array.isArray(value) ? value[0] : value) as Json
  }
  object.unknown = 1
  let message = ''
  try {
    parseTaskConfig(config)
  } catch (error) {
    message = (error as Error).message
  }
  const [, known] = /unknown field; known here: (.*)$/.exec(message) ?? []
  if (known === undefined) throw new Error(`the parser took an unknown field at ${JSON.stringify(path)}: ${message}`)
  return known.split(', ')
}
