import { Examples, fromCsv, fromTfDataset } from '@fedweave/client/data'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'

const spec = { inputShape: [2], classes: 3 }

describe('examples', () => {
  it('come out one after the other as they went in', () => {
    const examples = new Examples(spec)
    examples.add([1, 2], 0)
    examples.add(Float64Array.of(3, 4), 2)
    expect(examples.dataset).toEqual({ xs: Float32Array.of(1, 2, 3, 4), labels: Int32Array.of(0, 2), shape: [2] })
  })

  it.each([
    [[1], 0, 'FL_DATASET_SHAPE', 'row 0: expected 2 values for [2], got 1'],
    [[1, 2], 3, 'FL_DATASET_SHAPE', 'row 0: expected a label from 0 to 2, got 3'],
    [[1, 2], 0.5, 'FL_DATASET_SHAPE', 'row 0: expected a label from 0 to 2, got 0.5'],
    [[1, Number.POSITIVE_INFINITY], 0, 'FL_NON_FINITE', 'row 0: value 1 is Infinity'],
    [[1, 1e39], 0, 'FL_NON_FINITE', 'row 0: value 1 is 1e+39'], // beyond float32
  ])('refuse %j with the label %j', (values, label, code, message) => {
    const examples = new Examples(spec)
    expect(() => examples.add(values, label)).toThrow(expect.objectContaining({ code, message }))
    expect(examples.count).toBe(0)
  })
})

describe('examples for a regressor', () => {
  const regressor = { inputShape: [2], classes: 1 }

  it('have any finite numbers as labels, from a CSV file and tf.data too', async () => {
    const examples = new Examples(regressor)
    examples.add([1, 2], -0.5)
    expect(examples.dataset).toEqual({ xs: Float32Array.of(1, 2), labels: Float32Array.of(-0.5), shape: [2] })
    expect(fromCsv('a,b,y\n1,2,3.25\n', regressor, { label: 'y' }).labels).toEqual(Float32Array.of(3.25))
    const dataset = tf.data.array([7.5]).map((n) => ({ xs: tf.tensor1d([0, 0]), ys: tf.scalar(n as number) }))
    expect((await fromTfDataset(dataset, regressor)).labels).toEqual(Float32Array.of(7.5))
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39])('refuse the label %d', (label) => {
    expect(() => new Examples(regressor).add([1, 2], label)).toThrow(
      expect.objectContaining({ code: 'FL_NON_FINITE', message: `row 0: the label is ${label}` }),
    )
  })
})

describe('CSV', () => {
  it('takes quoted cells, both line ends, a byte-order mark, and no line at the end', () => {
    const text = '\uFEFFa,"b ""x""",kind\r\n1,2,0\n\n"3" , 4.5e-1,"2"'
    const { xs, labels } = fromCsv(text, spec, { label: 'kind' })
    expect(xs).toEqual(Float32Array.of(1, 2, 3, 0.45))
    expect(labels).toEqual(Int32Array.of(0, 2))
  })

  it('takes the columns that are named, in that order, and classes by their names', () => {
    const text = 'id,kind,b,a\n7,cat,1,2\n8,"dog, big",3,4\n'
    const options = { label: 'kind', classes: ['cat', 'mouse', 'dog, big'], columns: ['a', 'b'] }
    expect(fromCsv(text, spec, options)).toMatchObject({ xs: Float32Array.of(2, 1, 4, 3), labels: Int32Array.of(0, 2) })
  })

  it.each([
    ['', 'the file is empty'],
    ['a,b\n1,2', 'there is no column "y"; there are a, b'],
    ['a,b,y\n1,2,0\n1,2', 'row 2: expected 3 cells, got 2'],
    ['a,b,y\n1,2,0\n1,x,0', 'row 2, column "b": expected a number, got "x"'],
    ['a,b,y\n1,,0', 'row 1, column "b": expected a number, got ""'],
    ['a,b,y\n1,2,9', 'row 1: expected a label from 0 to 2, got 9'],
    ['a,b,y\n"1"2,2,0', 'row 1: a quoted cell goes on after its quotes'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => fromCsv(text, spec, { label: 'y' })).toThrow(expect.objectContaining({ code: 'FL_DATASET_SHAPE', message }))
  })
})

describe('tf.data', () => {
  it('is read example by example, classes as numbers or one-hot, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors
    const numbers = tf.data.array([1, 2, 3]).map((n) => ({ xs: tf.tensor1d([n as number, 0]), ys: tf.scalar((n as number) - 1) }))
    expect(await fromTfDataset(numbers, spec)).toMatchObject({
      xs: Float32Array.of(1, 0, 2, 0, 3, 0),
      labels: Int32Array.of(0, 1, 2),
    })
    const oneHot = tf.data.array([2]).map((n) => ({ xs: tf.tensor1d([0, 0]), ys: tf.oneHot(n as number, 3) }))
    expect(await fromTfDataset(oneHot, spec)).toMatchObject({ labels: Int32Array.of(2) })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('names the row that does not fit', async () => {
    const soft = tf.data
      .array([0, 1])
      .map((n) => ({ xs: tf.tensor1d([0, 0]), ys: tf.tensor1d(n === 0 ? [1, 0, 0] : [0.5, 0.5, 0]) }))
    await expect(fromTfDataset(soft, spec)).rejects.toThrow('row 1: expected a label from 0 to 2, got -1')
  })
})
