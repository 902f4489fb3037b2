import { describe, expect, it } from 'vitest'
import { metricsOf } from '../../../client-sdk/src/training/metrics.ts'

describe('metricsOf', () => {
  // Worked by hand: 10 examples of 3 classes.
  //            predicted 0  1  2    recall
  //   label 0            3  1  0    3/4
  //   label 1            1  1  2    1/4
  //   label 2            0  0  2    2/2
  //   precision        3/4 1/2 2/4
  it('gives everything as worked out by hand', () => {
    const confusion = Uint32Array.of(3, 1, 0, 1, 1, 2, 0, 0, 2)
    const { macro, ...metrics } = metricsOf(confusion, 3, 5)
    expect(metrics).toEqual({
      examples: 10,
      loss: 0.5,
      accuracy: 0.6,
      confusion,
      perClass: [
        { examples: 4, precision: 3 / 4, recall: 3 / 4, f1: 3 / 4 },
        { examples: 4, precision: 1 / 2, recall: 1 / 4, f1: 1 / 3 },
        { examples: 2, precision: 2 / 4, recall: 1, f1: 2 / 3 },
      ],
    })
    expect(macro.precision).toBeCloseTo((3 / 4 + 1 / 2 + 1 / 2) / 3, 15)
    expect(macro.recall).toBeCloseTo((3 / 4 + 1 / 4 + 1) / 3, 15)
    expect(macro.f1).toBeCloseTo((3 / 4 + 1 / 3 + 2 / 3) / 3, 15)
  })

  it('keeps classes without examples out of the means, and calls shares of nothing 0', () => {
    const { perClass, macro } = metricsOf(Uint32Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0), 3, 0)
    expect(perClass).toEqual([
      { examples: 2, precision: 1, recall: 1 / 2, f1: 2 / 3 },
      { examples: 0, precision: 0, recall: 0, f1: 0 },
      { examples: 0, precision: 0, recall: 0, f1: 0 },
    ])
    expect(macro).toEqual({ precision: 1, recall: 1 / 2, f1: 2 / 3 })
  })
})
