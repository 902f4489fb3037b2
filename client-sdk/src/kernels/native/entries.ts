import { identity } from '../identity.ts'
import { fusedMatMul } from '../ops/matmul.ts'
import type { KernelEntry } from '../registry.ts'
import { stockConvolutions } from '../same-padding.ts'
import { activationEntries } from './activation.ts'
import { conv2dEntries } from './conv2d.ts'
import { depthwiseEntries } from './depthwise.ts'
import { matMulEntries } from './matmul.ts'
import type { NativeModule } from './module.ts'
import { optimizerEntries } from './optimizers.ts'
import { poolEntries } from './pool.ts'
import { reduceEntries } from './reduce.ts'
import { segmentEntries } from './segment.ts'

/** Every kernel of the WebAssembly module, over repaired stock kernels for the cases that the module leaves to them. */
export function nativeEntries(native: NativeModule): readonly KernelEntry[] {
  const families = [
    ...[activationEntries, conv2dEntries, depthwiseEntries, matMulEntries],
    ...[optimizerEntries, poolEntries, reduceEntries, segmentEntries],
  ]
  return [identity, fusedMatMul, ...stockConvolutions, ...families.flatMap((entries) => entries(native))]
}
