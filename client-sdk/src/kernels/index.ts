export { type InstalledKernels, installKernels, type KernelOptions } from './install.ts'
export {
  Adam,
  type AdamOptions,
  AdamW,
  type AdamWOptions,
  Momentum,
  type MomentumOptions,
  Sgd,
  type SgdOptions,
} from './optimizers.ts'
