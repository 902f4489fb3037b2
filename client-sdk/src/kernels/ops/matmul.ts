import type { TensorInfo } from '@tensorflow/tfjs'
import { type KernelEntry, runStock } from '../registry.ts'
import { compose } from './compose.ts'

/**
 * A matrix product that transposes first. The stock kernels run a transposed product in a scalar loop (1.4 to 2 GFLOPS)
 * and an untransposed one through XNNPACK (over 20): the copy costs far less than the difference. The fused one also
 * forgets bias and activation in that loop.
 */
function transposingFirst(name: string): KernelEntry {
  return {
    name,
    make: (stock) => (call) => {
      const { transposeA, transposeB } = call.attrs
      if (!transposeA && !transposeB) return runStock(stock, call)
      const { a, b, ...others } = call.inputs as { a: TensorInfo; b: TensorInfo }
      return compose(call.backend, (run) => {
        const left = transposeA ? run('Transpose', { x: a }, { perm: lastTwoSwapped(a) }) : a
        const right = transposeB ? run('Transpose', { x: b }, { perm: lastTwoSwapped(b) }) : b
        const attrs = { ...call.attrs, transposeA: false, transposeB: false }
        return runStock(stock, { ...call, inputs: { a: left, b: right, ...others }, attrs }) as TensorInfo
      })
    },
  }
}

export const batchMatMul = transposingFirst('BatchMatMul')
export const fusedMatMul = transposingFirst('_FusedMatMul')

function lastTwoSwapped({ shape }: TensorInfo): number[] {
  const rank = shape.length
  return [...shape.keys()].map((axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis))
}
