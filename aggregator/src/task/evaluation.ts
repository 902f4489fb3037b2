import { isRegressor, type ModelSpec } from './model-spec.ts'

/** What held-out examples say of a model: `accuracy` and `recall` of a classifier, `rmse` and `mae` of a regressor. */
export interface Evaluation {
  readonly examples: number
  /** Mean cross-entropy in nats; of a regressor the mean squared error. */
  readonly loss: number
  /** Share of examples whose most probable class is right. */
  readonly accuracy?: number
  /** Mean of the recalls of all classes that have examples. */
  readonly recall?: number
  /** Root of the mean squared error, in the unit of the labels. */
  readonly rmse?: number
  /** Mean absolute error, in the unit of the labels. */
  readonly mae?: number
}

/** As a journal entry holds it: two figures beside the loss, which a regressor's entry has its errors in. */
export interface RecordedEvaluation {
  readonly examples: number
  readonly loss: number
  readonly accuracy: number
  readonly recall: number
}

export function recordEvaluation({ examples, loss, accuracy, recall, rmse, mae }: Evaluation): RecordedEvaluation {
  return { examples, loss, accuracy: accuracy ?? rmse ?? 0, recall: recall ?? mae ?? 0 }
}

/** What an entry of a task with such a model holds, each figure under its own name. */
export function evaluationOf(
  model: Pick<ModelSpec, 'classes'>,
  { examples, loss, accuracy, recall }: RecordedEvaluation,
): Evaluation {
  return isRegressor(model) ? { examples, loss, rmse: accuracy, mae: recall } : { examples, loss, accuracy, recall }
}
