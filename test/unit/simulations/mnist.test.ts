import { describe, expect, test } from 'vitest'
import { mnist } from '../../../simulations/src/data/mnist.ts'
import { evaluationData } from '../../../simulations/src/data/mnist-test.ts'
import { take } from '../../../simulations/src/partition/take.ts'

describe('MNIST', () => {
  const all = mnist('test')

  test('test set: 10,000 images of 28 x 28 x 1 with the published first labels and label counts', () => {
    expect(all.shape).toEqual([28, 28, 1])
    expect(all.classes).toBe(10)
    expect(all.xs.length).toBe(10_000 * 784)
    expect([...all.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    const counts = new Array(10).fill(0)
    for (const label of all.labels) counts[label]++
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  })

  test('pixels are the bytes divided by 255: the first image is a 7 whose pixel at row 7, column 6 is 84', () => {
    expect(all.xs[7 * 28 + 6]).toBe(Math.fround(84 / 255))
    expect(all.xs.subarray(0, 7 * 28 + 6).every((pixel) => pixel === 0)).toBe(true)
    const extremes = all.xs.reduce((range, pixel) => [Math.min(range[0], pixel), Math.max(range[1], pixel)] as const, [
      1, 0,
    ] as readonly [number, number])
    expect(extremes).toEqual([0, 1])
  })

  test('chosen rows of the training set are read alone, in the order asked for', () => {
    const { xs, labels } = mnist('train', Int32Array.of(2, 59_999, 0, 2))
    expect([...labels]).toEqual([4, 8, 5, 4]) // the training labels begin 5, 0, 4 and end in 8
    expect(xs.length).toBe(4 * 784)
    expect(xs.subarray(0, 784)).toEqual(xs.subarray(3 * 784))
  })

  test.each([10_000, -1])('row %i of the test set is refused', (row) => {
    expect(() => mnist('test', Int32Array.of(0, row))).toThrow(
      expect.objectContaining({ code: 'FL_OUT_OF_RANGE', message: `expected rows from 0 to 9999, got ${row}` }),
    )
  })

  test('reading rows equals taking them', () => {
    const rows = Int32Array.of(17, 3, 9_999)
    expect(mnist('test', rows)).toEqual(take(all, rows))
  })

  test('the module for the server gives the test set', () => {
    expect(evaluationData().labels).toEqual(all.labels)
  })
})
