/**
 * How a round's weighted mean delta, the pseudo-gradient, becomes new weights. Pure: the same arguments give the same
 * result on every machine, and none of them is changed, so that a round can be applied again after a crash.
 * `strategyContract` in `@fedweave/aggregator/testing` checks an implementation.
 */
export interface Strategy<State> {
  readonly name: string
  /** The state before the first round, for weights of `size` coordinates. */
  init(size: number): State
  /**
   * `weights`, `pseudoGradient`: as many coordinates as `init` was told, else throws `FL_UPDATE_SHAPE`. Returns a new
   * array of weights and the state for the next round.
   */
  apply(weights: Float32Array, pseudoGradient: Float32Array, state: State): StrategyResult<State>
}

export interface StrategyResult<State> {
  readonly weights: Float32Array
  readonly state: State
}
