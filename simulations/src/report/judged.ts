import type { Judged } from '../engine/record.ts'

/** The figures beside the loss, by name: accuracy of a classifier or mean absolute error of a forecast, and the scenario's metric. */
export function judgedFigures(metric: string, judged: Omit<Judged, 'loss' | 'examples'>): Record<string, number> {
  const { accuracy, mae } = judged
  return {
    ...(accuracy === undefined ? {} : { accuracy }),
    [metric]: judged.metric,
    ...(mae === undefined ? {} : { MAE: mae }),
  }
}

/** The same as text. */
export function judgedText(metric: string, judged: Judged): string {
  return Object.entries(judgedFigures(metric, judged))
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ')
}
