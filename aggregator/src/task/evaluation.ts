/** What held-out examples say of a model: `accuracy` and `recall` of a classifier, `rmse` and `mae` of a regressor. */
export interface Evaluation {
  readonly examples: number
  /** Mean cross-entropy in nats; of a regressor the mean squared error. */
  readonly loss: number
  /** Share of examples whose most probable class is right. */
  readonly accuracy?: number | undefined
  /** Mean of the recalls of all classes that have examples. */
  readonly recall?: number | undefined
  /** Root of the mean squared error, in the unit of the labels. */
  readonly rmse?: number | undefined
  /** Mean absolute error, in the unit of the labels. */
  readonly mae?: number | undefined
}
