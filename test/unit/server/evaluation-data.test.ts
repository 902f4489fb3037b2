import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { checkEvaluationData } from '../../../server/src/evaluation/data.ts'
import { parseJsonData } from '../../../server/src/evaluation/json-data.ts'
import { loadEvaluationData } from '../../../server/src/evaluation/load-data.ts'
import { loadTensorFlow } from '../../../server/src/evaluation/tensorflow.ts'

const expected = { xs: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), shape: [2, 2], labels: Int32Array.of(0, 2), classes: 3 }
const plain = { shape: [2, 2], labels: [0, 2], classes: 3 }
const flat = [0, 1, 2, 3, 4, 5, 6, 7]
const parse = (data: object) => parseJsonData(JSON.stringify(data), 'held-out.json')

describe('JSON data', () => {
  test.each([
    ['flat', flat],
    [
      'a list for each example',
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ],
    ],
    [
      'nested in the shape of the examples',
      [
        [
          [0, 1],
          [2, 3],
        ],
        [
          [4, 5],
          [6, 7],
        ],
      ],
    ],
  ])('%s are read', (_, xs) => {
    expect(parse({ ...plain, xs })).toEqual(expected)
  })

  test.each([
    [{ xs: flat, labels: [0, 3] }, 'FL_DATASET_SHAPE', 'held-out.json: row 1: expected a label from 0 to 2, got 3'],
    [{ xs: flat, labels: [0, -1] }, 'FL_DATASET_SHAPE', 'held-out.json: row 1: expected a label from 0 to 2, got -1'],
    [{ xs: flat, labels: [0.5, 1] }, 'FL_DATASET_SHAPE', 'held-out.json: row 0: expected an integer as its label, got 0.5'],
    [
      { xs: flat, labels: [0, 2 ** 32] },
      'FL_DATASET_SHAPE',
      'held-out.json: row 1: expected an integer as its label, got 4294967296',
    ],
    [{ xs: flat, labels: ['1', 1] }, 'FL_DATASET_SHAPE', 'held-out.json: row 0: expected an integer as its label, got "1"'],
    [{ xs: flat, labels: [] }, 'FL_DATASET_SHAPE', 'held-out.json: there are no examples'],
    [{ xs: flat, labels: 7 }, 'FL_DATASET_SHAPE', 'held-out.json: `labels` must be a list of integers'],
    [{ xs: flat.slice(1) }, 'FL_DATASET_SHAPE', 'held-out.json: 2 labels and the shape [2, 2] need 8 values, `xs` has 7'],
    [
      {
        xs: [
          [0, 1, 2, 3],
          [4, 5, 6],
        ],
      },
      'FL_DATASET_SHAPE',
      'held-out.json: row 1: expected 4 values, got 3',
    ],
    [{ xs: [[0, 1, 2, 3], 4] }, 'FL_DATASET_SHAPE', 'held-out.json: row 1: expected 4 values, got 1'],
    [
      {
        xs: [
          [0, 1, 2, 3],
          [4, 5, null, 7],
        ],
      },
      'FL_DATASET_SHAPE',
      'held-out.json: row 1: expected numbers, got null',
    ],
    [{ xs: [0, 1, 2, 3, 4, '5', 6, 7] }, 'FL_DATASET_SHAPE', 'held-out.json: row 1: expected numbers, got "5"'],
    [{ xs: [0, 1, 2, 3, 4, 5, 6, 1e39] }, 'FL_NON_FINITE', 'held-out.json: row 1 holds Infinity'], // beyond float32
    [{ xs: 'none' }, 'FL_DATASET_SHAPE', 'held-out.json: `xs` must be a list of numbers or of examples'],
    [{ xs: flat, shape: [2, 0] }, 'FL_DATASET_SHAPE', 'positive integers, got [2,0]'],
    [{ xs: flat, shape: '2x2' }, 'FL_DATASET_SHAPE', 'positive integers, got "2x2"'],
    [{ xs: flat, classes: 0 }, 'FL_DATASET_SHAPE', 'held-out.json: `classes` must be an integer from 1, got 0'],
    [
      { xs: flat, classes: 1, labels: [0, '1'] },
      'FL_DATASET_SHAPE',
      'held-out.json: row 1: expected a number as its label, got "1"',
    ],
    [{ xs: flat, classes: 1, labels: 7 }, 'FL_DATASET_SHAPE', 'held-out.json: `labels` must be a list of numbers'],
    [{ xs: flat, classes: 1, labels: [0, 1e39] }, 'FL_NON_FINITE', 'held-out.json: the label of row 1 is Infinity'],
  ])('%j are refused in one sentence', (part, code, message) => {
    expect(() => parse({ ...plain, ...part })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  test.each(['', '[1,', 'null', '7'])('the text %j is refused', (text) => {
    expect(() => parseJsonData(text, 'held-out.json')).toThrow(
      expect.objectContaining({ code: 'FL_DATASET_SHAPE', message: expect.stringContaining('held-out.json') }),
    )
  })
})

test('with one class labels are any numbers, for a regressor', () => {
  expect(parse({ ...plain, classes: 1, labels: [-0.5, 2], xs: flat })).toEqual({
    ...expected,
    classes: 1,
    labels: Float32Array.of(-0.5, 2),
  })
})

test.each([
  [{ ...expected, classes: 1 }, 'a module: `labels` is no Float32Array, which `classes` 1 goes with'],
  [{ ...expected, labels: Float32Array.of(0, 2) }, 'a module: `labels` is no Int32Array, which `classes` 3 goes with'],
])('labels of the other kind are refused', (data, message) => {
  expect(() => checkEvaluationData(data, 'a module')).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE', message }))
})

describe('a module', () => {
  const folders: string[] = []
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

  async function moduleWith(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'fedweave-data-'))
    folders.push(folder)
    await writeFile(join(folder, 'data.mjs'), text)
    return join(folder, 'data.mjs')
  }

  const good = 'xs: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), shape: [2, 2], labels: Int32Array.of(0, 2), classes: 3'

  test('is found by path, relative path and file URL, and may answer later', async () => {
    const path = await moduleWith(`export const evaluationData = async () => ({ ${good} })`)
    for (const module of [path, `./${relative(process.cwd(), path)}`, pathToFileURL(path).href]) {
      expect(await loadEvaluationData({ module })).toEqual(expected)
    }
  })

  test('that is missing, broken or exports something else is refused by name', async () => {
    const cases = [
      ['not-an-installed-package', 'evaluation.module: not-an-installed-package gives no data'],
      [await moduleWith('throw new Error("its own fault")'), 'its own fault'],
      [await moduleWith('export const data = 1'), 'exports no function `evaluationData`'],
      [await moduleWith('export const evaluationData = () => { throw new Error("no such table") }'), 'no such table'],
    ]
    for (const [module, message] of cases) {
      await expect(loadEvaluationData({ module: module as string })).rejects.toMatchObject({
        code: 'FL_CONFIG_INVALID',
        message: expect.stringContaining(message as string),
      })
    }
  })

  test('that gives lists in place of typed arrays is refused', async () => {
    const module = await moduleWith('export const evaluationData = () => ({ xs: [0], shape: [1], labels: [0], classes: 2 })')
    await expect(loadEvaluationData({ module })).rejects.toMatchObject({
      code: 'FL_DATASET_SHAPE',
      message: `${module}: \`xs\` is no Float32Array`,
    })
  })
})

test('a file that is not there is refused by name', async () => {
  await expect(loadEvaluationData({ file: '/nowhere/data.json' })).rejects.toMatchObject({
    code: 'FL_CONFIG_INVALID',
    message: expect.stringContaining('/nowhere/data.json'),
  })
})

test('a row of NaN is named', () => {
  const xs = expected.xs.slice()
  xs[4] = Number.NaN
  expect(() => checkEvaluationData({ ...expected, xs }, 'a module')).toThrow(
    expect.objectContaining({ code: 'FL_NON_FINITE', message: 'a module: row 1 holds NaN' }),
  )
})

test('where TensorFlow.js is not installed the error names both packages and how to install them', async () => {
  await expect(loadTensorFlow(pathToFileURL('/nowhere/server.js'))).rejects.toMatchObject({
    code: 'FL_DEPENDENCY_MISSING',
    message: expect.stringContaining('@tensorflow/tfjs and @tensorflow/tfjs-backend-wasm'),
    cure: expect.stringContaining('npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0'),
  })
})
