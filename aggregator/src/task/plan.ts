/** What each client does with the global weights in one round. */
export interface TrainingPlan {
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: 'sgd' | 'adam'
  readonly learningRate: number
  /** Upper bound on optimiser updates in a round, for clients with much data; absent: none. */
  readonly maxSteps?: number
}
