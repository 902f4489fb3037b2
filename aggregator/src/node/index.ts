export { nodeCurves } from './curves.ts'
export { loadOrCreateKey } from './key-file.ts'
export { fastestPrg, nodePrg } from './prg.ts'
export { startWorker } from './worker.ts'
