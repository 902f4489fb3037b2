import { FedweaveError } from '../core/errors.ts'
import type { Prg } from '../crypto/prg.ts'
import { noblePrg } from '../crypto/prg-noble.ts'
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

/** `wasmPrg()` where WebAssembly has SIMD, else `noblePrg`, which is several times slower. */
export function fastestPrg(): Prg {
  try {
    return wasmPrg()
  } catch (error) {
    if (error instanceof FedweaveError) return noblePrg
    throw error
  }
}
