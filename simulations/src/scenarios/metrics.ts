import type { ClassificationMetrics, RegressionMetrics } from '@fedweave/client/training'
import type { Forecast, Metric } from './scenario.ts'

/** A share of right answers in some sense, from 0 to 1. */
export function shareMetric(name: string, of: (metrics: ClassificationMetrics) => number): Metric {
  return { name, better: 'higher', of: (metrics) => of(metrics as ClassificationMetrics) } // its model is a classifier
}

export const ACCURACY = shareMetric('accuracy', ({ accuracy }) => accuracy)

/** Mean of the classes' F1 scores. */
export const MACRO_F1 = shareMetric('macro F1', ({ macro }) => macro.f1)

/** Root of a forecast's mean squared error, in the unit of what is forecast. */
export function rmseIn(unit: string): Metric {
  return {
    name: `RMSE in ${unit}`,
    better: 'lower',
    of: (metrics, { forecast }) => (metrics as RegressionMetrics).rmse * (forecast as Forecast).deviation, // its model is a regressor
  }
}

/** Whether `value` is at least as good as `target`. */
export function reaches({ better }: Pick<Metric, 'better'>, value: number, target: number): boolean {
  return better === 'higher' ? value >= target : value <= target
}
