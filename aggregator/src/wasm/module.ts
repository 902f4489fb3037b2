import { FedweaveError } from '../core/errors.ts'
import { assembleKernels, type Kernels } from './kernels.ts'
import { assembleRingKernels, type RingKernels } from './ring-kernels.ts'

let compiled: WebAssembly.Module | undefined
const compiledOfBits = new Map<number, WebAssembly.Module>()

/** The kernels over `memory`. Assembled and compiled once a thread. Throws `FL_DEPENDENCY_MISSING` without WebAssembly SIMD. */
export function instantiate(memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports as unknown as Kernels
}

/** Those for a ring of `bits` bits. */
export function instantiateRing(memory: WebAssembly.Memory, bits: number): RingKernels {
  const module = compiledOfBits.get(bits) ?? new WebAssembly.Module(assembleRingKernels(bits))
  compiledOfBits.set(bits, module)
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as RingKernels
}

export function kernelModule(): WebAssembly.Module {
  compiled ??= compile()
  return compiled
}

function compile(): WebAssembly.Module {
  const bytes = assembleKernels()
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(bytes)) {
    throw new FedweaveError('FL_DEPENDENCY_MISSING', 'this platform does not run WebAssembly with SIMD', {
      cure: 'Use a browser of 2023 or later or Node 20; `noblePrg` needs no WebAssembly and is several times slower.',
    })
  }
  return new WebAssembly.Module(bytes)
}
