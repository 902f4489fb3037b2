export { fastestPrg, wasmPrg } from './prg.ts'
