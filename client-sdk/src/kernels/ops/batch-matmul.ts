import type { TensorInfo } from '@tensorflow/tfjs'
import type { KernelCall, KernelEntry } from '../registry.ts'
import { compose } from './compose.ts'

/**
 * BatchMatMul that transposes first. The stock kernel runs a transposed product in a scalar loop (1.4 to 2 GFLOPS)
 * and an untransposed one through XNNPACK (over 20): the copy costs far less than the difference.
 */
export const batchMatMul: KernelEntry = {
  name: 'BatchMatMul',
  make: (stock) => (call: KernelCall) => {
    if (stock === undefined) throw new Error("tfjs's wasm backend has no kernel BatchMatMul")
    const { transposeA, transposeB } = call.attrs
    if (!transposeA && !transposeB) return stock(call)
    const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo }
    return compose(call.backend, (run) => {
      const left = transposeA ? run('Transpose', { x: a }, { perm: lastTwoSwapped(a) }) : a
      const right = transposeB ? run('Transpose', { x: b }, { perm: lastTwoSwapped(b) }) : b
      return stock({ ...call, inputs: { a: left, b: right }, attrs: { transposeA: false, transposeB: false } }) as TensorInfo
    })
  },
}

function lastTwoSwapped({ shape }: TensorInfo): number[] {
  const rank = shape.length
  return [...shape.keys()].map((axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis))
}
