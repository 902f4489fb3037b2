export { nodeCurves } from './curves.ts'
export { fastestPrg, nodePrg } from './prg.ts'
export { startWorker } from './worker.ts'
