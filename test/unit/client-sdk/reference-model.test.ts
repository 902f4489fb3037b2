import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { describeModel } from '../../../client-sdk/src/tfjs/model.ts'
import { referenceCnn } from '../../../client-sdk/src/tfjs/reference-model.ts'

describe('referenceCnn', () => {
  it('has 693,962 parameters in six tensors', async () => {
    const { model, weights } = await describeModel(referenceCnn(1))
    expect(weights).toHaveLength(693_962)
    expect(model).toEqual({
      topology: referenceCnn(1),
      inputShape: [28, 28, 1],
      classes: 10,
      tensors: [
        { name: 'conv/kernel', shape: [3, 3, 1, 32] },
        { name: 'conv/bias', shape: [32] },
        { name: 'hidden/kernel', shape: [5408, 128] },
        { name: 'hidden/bias', shape: [128] },
        { name: 'output/kernel', shape: [128, 10] },
        { name: 'output/bias', shape: [10] },
      ],
    })
  })

  it('starts from the same bytes in two builds, and from others with another seed', async () => {
    const [first, second, other] = [
      await describeModel(referenceCnn(7)),
      await describeModel(referenceCnn(7)),
      await describeModel(referenceCnn(8)),
    ].map(({ weights }) => Buffer.from(weights.buffer))
    expect(first?.equals(second as Buffer)).toBe(true)
    expect(first?.equals(other as Buffer)).toBe(false)
  })

  it('is exactly what TensorFlow.js writes for it', async () => {
    const model = await tf.models.modelFromJSON(JSON.parse(referenceCnn(1)))
    expect(model.toJSON(null, false)).toEqual(JSON.parse(referenceCnn(1)))
    model.dispose()
  })
})
