import { evaluationOf, recordEvaluation } from '@fedweave/aggregator'
import { expect, test } from 'vitest'

test.each([
  ['a classifier', 10, { examples: 5, loss: 0.25, accuracy: 0.8, recall: 0.75 }],
  ['a regressor', 1, { examples: 5, loss: 0.25, rmse: 0.5, mae: 0.375 }],
])('what a journal entry holds of %s comes back under its own names', (_, classes, evaluation) => {
  const recorded = recordEvaluation(evaluation)
  expect(Object.keys(recorded)).toEqual(['examples', 'loss', 'accuracy', 'recall']) // the layout of the entry
  expect(evaluationOf({ classes }, recorded)).toEqual(evaluation)
})
