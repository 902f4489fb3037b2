export { wasmPrg } from './prg.ts'
