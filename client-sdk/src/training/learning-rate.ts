import type { TrainingPlan } from '@fedweave/aggregator'
import { sinCos } from './elementary.ts'

/** The learning rate of update `step` of `steps`, counted from 1, as the plan's decay has it. */
export function learningRateAt({ learningRate, decay }: TrainingPlan, step: number, steps: number): number {
  const done = step - 1
  switch (decay?.kind) {
    case undefined:
      return learningRate
    case 'step': {
      let rate = learningRate
      for (let at = decay.every; at <= done; at += decay.every) rate *= decay.factor // `**` may differ between engines
      return rate
    }
    case 'cosine':
      return (learningRate * (1 + sinCos((Math.PI * done) / steps).cos)) / 2
  }
}
