import { type BatchMatMulAttrs, broadcast_util, type TensorInfo, util } from '@tensorflow/tfjs'
import { type KernelCall, type KernelEntry, runStock } from '../registry.ts'
import { type Epilogue, epilogueOf, finish } from './activation.ts'
import type { NativeModule } from './module.ts'

/** BatchMatMul of any rank from 2, with broadcast batch axes and either side transposed, plain and fused. */
export function matMulEntries(native: NativeModule): readonly KernelEntry[] {
  const multiply = ({ inputs, attrs, backend }: KernelCall, epilogue: Epilogue | undefined) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo }
    if (epilogue === undefined || a.dtype !== 'float32' || b.dtype !== 'float32') return undefined
    const { transposeA, transposeB } = attrs as unknown as BatchMatMulAttrs
    const [aRows, aColumns] = lastTwo(a)
    const [bRows, bColumns] = lastTwo(b)
    const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns]
    const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns]
    if (k !== inner) throw new Error(`matMul: inner sizes differ, [${a.shape}] times [${b.shape}]`)
    const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    const out = backend.makeOutput([...batch, m, n], 'float32')
    if (m === 0 || n === 0) return out
    const scratch = native.scratch(native.call.GEMM_SCRATCH.value as number)
    const [aStart, bStart, outStart] = [native.address(a), native.address(b), native.address(out)]
    const [ta, tb] = [transposeA ? 1 : 0, transposeB ? 1 : 0]
    for (let i = 0; i < util.sizeFromShape(batch); i++) {
      const left = aStart + 4 * m * k * broadcastIndex(i, batch, a.shape)
      const right = bStart + 4 * k * n * broadcastIndex(i, batch, b.shape)
      native.call.gemm(m, n, k, left, 4 * aColumns, ta, right, 4 * bColumns, tb, outStart + 4 * m * n * i, 4 * n, scratch)
    }
    finish(native, out, epilogue)
    return out
  }
  return [
    {
      name: 'BatchMatMul',
      make: (stock) => (kernelCall) => multiply(kernelCall, { bias: undefined, relu: false }) ?? runStock(stock, kernelCall),
    },
    {
      name: '_FusedMatMul',
      make: (stock) => (kernelCall) => multiply(kernelCall, epilogueOf(kernelCall)) ?? runStock(stock, kernelCall),
    },
  ]
}

function lastTwo({ shape }: TensorInfo): [number, number] {
  return [shape.at(-2) as number, shape.at(-1) as number]
}

/** Which matrix of a tensor of `shape` belongs to matrix `index` of the broadcast batch. */
function broadcastIndex(index: number, batch: readonly number[], shape: readonly number[]): number {
  let rest = index
  let own = 0
  let stride = 1
  for (let axis = 1; axis <= batch.length; axis++) {
    const size = batch.at(-axis) as number
    const ownSize = shape.length - 2 >= axis ? (shape.at(-2 - axis) as number) : 1
    if (ownSize > 1) own += (rest % size) * stride
    stride *= ownSize
    rest = Math.floor(rest / size)
  }
  return own
}
