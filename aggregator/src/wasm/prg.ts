import type { Prg } from '../crypto/prg.ts'
import { WasmAccumulator } from './accumulator.ts'
import { kernelModule } from './module.ts'

/**
 * ChaCha20 in WebAssembly SIMD, four blocks at a time, added straight into the sum. For each accumulator an engine
 * sets aside some 10 GB of addresses, not of memory: a 64-bit process has room for thousands, not for hundreds of
 * thousands. Throws `FL_DEPENDENCY_MISSING` where WebAssembly lacks SIMD.
 */
export function wasmPrg(): Prg {
  kernelModule() // fail here, not at the first mask
  return { name: 'wasm', accumulator: (length) => new WasmAccumulator(length) }
}
