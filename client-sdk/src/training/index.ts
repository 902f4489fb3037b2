export { checkDataset } from './dataset.ts'
export { Random, shuffleInPlace } from './random.ts'
export type {
  LocalDataset,
  Trainer,
  TrainingProgress,
  TrainingRequest,
  TrainingResult,
  TrainOptions,
} from './trainer.ts'
