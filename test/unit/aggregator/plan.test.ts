import { describe, expect, it } from 'vitest'
import { parseTaskConfig } from '../../../aggregator/src/task/config.ts'
import { checkLossFits, checkPlanFits, type TrainingPlan, trainingPlan } from '../../../aggregator/src/task/plan.ts'

const plain = { epochs: 1, batchSize: 32, optimizer: 'sgd', learningRate: 0.1 }
const validation = { fraction: 0.1 }

const parse = (change: object) => trainingPlan({ ...plain, ...change }, 'plan')
const refusal = (message: string | RegExp) =>
  expect.objectContaining({ code: 'FL_CONFIG_INVALID', message: expect.stringMatching(message) })

describe('a plan', () => {
  it('without the fields that may be left out is written as it was before they came', () => {
    expect(JSON.stringify(parse({}))).toBe('{"epochs":1,"batchSize":32,"optimizer":"sgd","learningRate":0.1}')
    expect(JSON.stringify(parse({ maxSteps: 5 }))).toBe(
      '{"epochs":1,"batchSize":32,"optimizer":"sgd","learningRate":0.1,"maxSteps":5}',
    )
  })

  it.each<[string, object]>([
    ['momentum', { momentum: 0.9 }],
    ['mean squared error', { loss: 'meanSquaredError' }],
    ['cross-entropy by its name', { loss: 'sparseCategoricalCrossentropy' }],
    ['AdamW', { optimizer: 'adamw' }],
    ['AdamW with its decay', { optimizer: 'adamw', weightDecay: 0 }],
    ['steps of the learning rate', { decay: { kind: 'step', every: 10, factor: 0.5 } }],
    ['a cosine', { decay: { kind: 'cosine' } }],
    ['FedProx', { proximal: 0.01 }],
    ['validation', { validation: { fraction: 0.2, seed: 7 } }],
    ['patience', { validation, patience: 3 }],
    ['normalisation by its own numbers', { normalise: { mean: [0.1, 0.2], std: [1, 2] } }],
    ["normalisation by each client's", { normalise: {} }],
    ['augmentation', { augment: { shift: 2, rotate: 10, noise: 0.1 } }],
  ])('takes %s as it is written', (_, change) => {
    expect(parse(change)).toEqual({ ...plain, ...change })
    expect(parse(JSON.parse(JSON.stringify(parse(change))))).toEqual({ ...plain, ...change })
  })

  it.each<[string, object, string]>([
    ['a misspelt field', { augment: { shfit: 2 } }, 'plan.augment.shfit: unknown field; known here: shift, rotate, noise'],
    ['another optimiser', { optimizer: 'lion' }, 'plan.optimizer: expected one of "sgd", "adam", "adamw", got "lion"'],
    [
      'another loss',
      { loss: 'mse' },
      'plan.loss: expected one of "sparseCategoricalCrossentropy", "meanSquaredError", got "mse"',
    ],
    ['momentum of Adam', { optimizer: 'adam', momentum: 0.9 }, 'plan.momentum: expected nothing with adam, got 0.9'],
    ['momentum that never ends', { momentum: 1 }, 'plan.momentum: expected a number above 0 and at most 0.9999, got 1'],
    ['weight decay of SGD', { weightDecay: 0.1 }, 'plan.weightDecay: expected nothing with sgd, got 0.1'],
    ['a decay of no kind', { decay: {} }, 'plan.decay.kind: expected one of "step", "cosine", got nothing'],
    ['steps without a length', { decay: { kind: 'step', factor: 0.5 } }, 'plan.decay.every: expected a number of updates'],
    ['steps without a factor', { decay: { kind: 'step', every: 5 } }, 'plan.decay.factor: expected a factor'],
    [
      'steps that raise the rate',
      { decay: { kind: 'step', every: 5, factor: 2 } },
      'plan.decay.factor: expected a number above 0 and at most 1',
    ],
    [
      'a cosine in steps',
      { decay: { kind: 'cosine', every: 5 } },
      'plan.decay.every: expected nothing with kind "cosine", got 5',
    ],
    [
      'a cosine with a factor',
      { decay: { kind: 'cosine', factor: 1 } },
      'plan.decay.factor: expected nothing with kind "cosine", got 1',
    ],
    ['a negative proximal term', { proximal: -1 }, 'plan.proximal: expected a number above 0'],
    [
      'validation on everything',
      { validation: { fraction: 1 } },
      'plan.validation.fraction: expected a number above 0 and at most 0.9, got 1',
    ],
    ['patience without validation', { patience: 3 }, 'plan.patience: expected nothing without plan.validation, got 3'],
    [
      'a mean without a deviation',
      { normalise: { mean: [1] } },
      'plan.normalise: expected `mean` and `std` of one length, or neither',
    ],
    ['a deviation of 0', { normalise: { mean: [1], std: [0] } }, 'plan.normalise.std[0]: expected a number above 0'],
    ['augmentation by nothing', { augment: {} }, 'plan.augment: expected one of shift, rotate, noise at least, got {}'],
    ['half a pixel', { augment: { shift: 0.5 } }, 'plan.augment.shift: expected an integer from 1 to 4096, got 0.5'],
  ])('is refused with %s', (_, change, message) => {
    expect(() => parse(change)).toThrow(
      expect.objectContaining({ code: 'FL_CONFIG_INVALID', message: expect.stringContaining(message) }),
    )
  })
})

describe('a plan for a model', () => {
  const fits = (change: Partial<TrainingPlan>, shape: number[]) => () =>
    checkPlanFits({ ...(plain as TrainingPlan), ...change }, shape)

  it('may normalise by one number for all, or one for each index of the last side', () => {
    for (const numbers of [1, 3]) {
      const normalise = { mean: Array(numbers).fill(0), std: Array(numbers).fill(1) }
      expect(fits({ normalise }, [28, 28, 3])).not.toThrow()
    }
    expect(fits({ normalise: {} }, [28, 28, 3])).not.toThrow()
    expect(fits({ normalise: { mean: [0, 0], std: [1, 1] } }, [28, 28, 3])).toThrow(
      refusal(/^plan\.normalise\.mean: expected 1 or 3 numbers for examples of the shape \[28, 28, 3\], got \[0,0\]$/),
    )
  })

  it('may shift and rotate images alone', () => {
    expect(fits({ augment: { shift: 1, rotate: 1, noise: 1 } }, [28, 28, 1])).not.toThrow()
    expect(fits({ augment: { noise: 1 } }, [13])).not.toThrow()
    expect(fits({ augment: { shift: 1 } }, [13])).toThrow(
      refusal(/^plan\.augment\.shift: expected nothing with examples of the shape \[13\]/),
    )
    expect(fits({ augment: { rotate: 5 } }, [28, 28])).toThrow(refusal(/^plan\.augment\.rotate: /))
  })

  it('has the loss of its outputs: cross-entropy of classes, mean squared error of one number', () => {
    const spec = { topology: '{}', inputShape: [13], tensors: [] }
    const [classifier, regressor] = [
      { ...spec, classes: 10 },
      { ...spec, classes: 1 },
    ]
    for (const loss of [{}, { loss: 'sparseCategoricalCrossentropy' } as const]) {
      expect(() => checkLossFits(loss, classifier)).not.toThrow()
      expect(() => checkLossFits(loss, regressor)).toThrow(
        refusal(
          /^plan\.loss: expected "meanSquaredError" for a model of one output, a number, got "sparseCategoricalCrossentropy"$/,
        ),
      )
    }
    expect(() => checkLossFits({ loss: 'meanSquaredError' }, regressor)).not.toThrow()
    expect(() => checkLossFits({ loss: 'meanSquaredError' }, classifier)).toThrow(
      refusal(
        /^plan\.loss: expected "sparseCategoricalCrossentropy" for a model of 10 outputs, the probabilities of classes, got "meanSquaredError"$/,
      ),
    )
  })

  it('is checked with the whole config', () => {
    const config = {
      protocol: 'fedweave/v1',
      taskId: 't',
      rounds: 1,
      model: { topology: '{}', inputShape: [13], classes: 2, tensors: [{ name: 'w', shape: [13, 2] }] },
      initialModel: '0'.repeat(64),
      plan: plain,
      strategy: { name: 'fedavg' },
      cohort: { minimum: 3, target: 3, overSelection: 1 },
      secureAggregation: { clipBound: 1, valueBits: 8, weighting: 'uniform', maxWeight: 1 },
      deadlines: { recruitingMs: 100, setupMs: 100, collectingMs: 100, confirmingMs: 100, unmaskingMs: 100 },
      enrolment: { key: '0'.repeat(64), holder: 'server' },
    }
    expect(JSON.stringify(parseTaskConfig(config))).toBe(JSON.stringify(config))
    const withShift = { ...config, plan: { ...plain, augment: { shift: 1 } } }
    expect(() => parseTaskConfig(withShift)).toThrow(refusal(/^plan\.augment\.shift: /))
    const withError = { ...config, plan: { ...plain, loss: 'meanSquaredError' } }
    expect(() => parseTaskConfig(withError)).toThrow(refusal(/^plan\.loss: /))
    const forecast = { ...withError, model: { ...config.model, classes: 1 } }
    expect(parseTaskConfig(forecast)).toEqual(forecast)
    expect(() => parseTaskConfig({ ...forecast, plan: plain })).toThrow(refusal(/^plan\.loss: /))
  })
})
