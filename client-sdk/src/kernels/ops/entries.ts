import { identity } from '../identity.ts'
import type { KernelEntry } from '../registry.ts'
import { stockConvolutions } from '../same-padding.ts'
import { conv2dBackpropFilter } from './conv2d-backprop-filter.ts'
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise-backprop.ts'
import { batchMatMul, fusedMatMul } from './matmul.ts'
import { maxPoolGrad } from './max-pool-grad.ts'
import { unsortedSegmentSum } from './unsorted-segment-sum.ts'

/** What the wasm backend needs to train, without a binary of ours: from its other kernels and loops over its heap. */
export const opsEntries: readonly KernelEntry[] = [
  batchMatMul,
  conv2dBackpropFilter,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  fusedMatMul,
  identity,
  maxPoolGrad,
  ...stockConvolutions,
  unsortedSegmentSum,
]
