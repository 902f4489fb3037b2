import type { Evaluation } from '@fedweave/aggregator'

/** What held-out data say of a model, in words. */
export function figuresOf({ accuracy, recall, rmse, mae }: Evaluation): string {
  const figures = { accuracy, 'macro recall': recall, RMSE: rmse, MAE: mae }
  return Object.entries(figures)
    .flatMap(([name, figure]) => (figure === undefined ? [] : [`${name} ${figure.toFixed(4)}`]))
    .join(', ')
}
