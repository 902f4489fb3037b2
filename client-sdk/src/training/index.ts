export { checkDataset } from './dataset.ts'
export { blankLabels, type Labels, labelsOf } from './labels.ts'
export {
  type ClassificationMetrics,
  type ClassMetrics,
  ErrorTally,
  type Metrics,
  metricsOf,
  type RegressionMetrics,
  regressionMetricsOf,
} from './metrics.ts'
export { Random, shuffleInPlace } from './random.ts'
export type {
  EvaluationRequest,
  LocalDataset,
  LocalTrainer,
  PredictionRequest,
  Trainer,
  TrainingProgress,
  TrainingRequest,
  TrainingResult,
  TrainOptions,
  Validation,
} from './trainer.ts'
