import { describe, expect, test } from 'vitest'
import { ClassTally, ErrorTally } from '../../../server/src/evaluation/metrics.ts'

/** One certain prediction for each pair. */
function tallied(classes: number, pairs: readonly (readonly [label: number, predicted: number])[]): ClassTally {
  const tally = new ClassTally(classes)
  for (const [label, predicted] of pairs) {
    const row = new Float32Array(classes)
    row[predicted] = 1
    tally.add(row, Int32Array.of(label))
  }
  return tally
}

describe('the confusion matrix', () => {
  // Worked by hand: 10 examples of 3 classes.
  //            predicted 0  1  2    recall
  //   label 0            3  1  0    3/4
  //   label 1            1  1  2    1/4
  //   label 2            0  0  2    2/2
  //   precision        3/4 1/2 2/4
  const pairs = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 2],
    [2, 2],
    [2, 2],
  ] as const

  test('gives accuracy, macro recall, precision and recall as worked out by hand', () => {
    const tally = tallied(3, pairs)
    expect([...tally.confusion]).toEqual([3, 1, 0, 1, 1, 2, 0, 0, 2])
    const { examples, accuracy, recall, perClass } = tally.result()
    expect(examples).toBe(10)
    expect(accuracy).toBe(6 / 10)
    expect(recall).toBe((3 / 4 + 1 / 4 + 1) / 3)
    expect(perClass).toEqual([
      { precision: 3 / 4, recall: 3 / 4 },
      { precision: 1 / 2, recall: 1 / 4 },
      { precision: 2 / 4, recall: 1 },
    ])
  })

  test('a class without examples has recall 0 and stays out of macro recall; one never predicted has precision 0', () => {
    const { recall, perClass } = tallied(3, [
      [0, 0],
      [0, 2],
      [1, 0],
    ]).result()
    expect(perClass).toEqual([
      { precision: 1 / 2, recall: 1 / 2 },
      { precision: 0, recall: 0 },
      { precision: 0, recall: 0 },
    ])
    expect(recall).toBe((1 / 2 + 0) / 2)
  })
})

describe('the loss', () => {
  test('is the mean of -ln of the probability of the right class', () => {
    const tally = new ClassTally(2)
    tally.add(Float32Array.of(0.5, 0.5, 0.25, 0.75), Int32Array.of(0, 0))
    tally.add(Float32Array.of(0.125, 0.875), Int32Array.of(0))
    // -ln(1/2) - ln(1/4) - ln(1/8) = 6 ln 2
    expect(tally.result().loss).toBeCloseTo((6 * Math.LN2) / 3, 14)
  })

  test('of a certain wrong answer is that of the least probability, not infinite', () => {
    expect(tallied(2, [[0, 1]]).result().loss).toBeCloseTo(-Math.log(1e-7), 12)
  })
})

test('of equal probabilities the lowest class counts as predicted', () => {
  const tally = new ClassTally(3)
  tally.add(Float32Array.of(0.2, 0.4, 0.4), Int32Array.of(2))
  expect([...tally.confusion]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0])
})

test('a NaN is refused, naming the example over all batches', () => {
  const tally = tallied(2, [
    [0, 0],
    [1, 1],
  ])
  expect(() => tally.add(Float32Array.of(1, 0, Number.NaN, Number.NaN), Int32Array.of(0, 1))).toThrow(
    expect.objectContaining({ code: 'FL_NON_FINITE', message: 'the model gives NaN for evaluation example 3' }),
  )
})

describe('the errors of a regressor', () => {
  test('are the mean squared error, its root and the mean absolute error over all batches', () => {
    const tally = new ErrorTally()
    tally.add(Float32Array.of(1, -2), Float32Array.of(4, -2))
    tally.add(Float32Array.of(5), Float32Array.of(1))
    expect(tally.result()).toEqual({ examples: 3, loss: 25 / 3, rmse: Math.sqrt(25 / 3), mae: 7 / 3 })
  })

  test('are refused where the model gives no number, naming the example', () => {
    const tally = new ErrorTally()
    tally.add(Float32Array.of(0), Float32Array.of(0))
    expect(() => tally.add(Float32Array.of(0, Number.NaN), Float32Array.of(0, 0))).toThrow(
      expect.objectContaining({ code: 'FL_NON_FINITE', message: 'the model gives NaN for evaluation example 2' }),
    )
  })
})
