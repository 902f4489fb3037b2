export { checkDataset } from './dataset.ts'
export { type ClassMetrics, type Metrics, metricsOf } from './metrics.ts'
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
