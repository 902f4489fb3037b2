import { type TensorInfo, util } from '@tensorflow/tfjs'
import { type KernelEntry, runStock } from '../registry.ts'
import type { NativeModule } from './module.ts'

/**
 * Sum and Mean over neighbouring axes, wherever they stand: the stock kernels transpose the tensor until the axes are
 * last, and add up one element at a time. Other axes and types stay with them.
 */
export function reduceEntries(native: NativeModule): readonly KernelEntry[] {
  const entry = (name: string, scale: (count: number) => number): KernelEntry => ({
    name,
    make: (stock) => (kernelCall) => {
      const { inputs, attrs, backend } = kernelCall
      const { x } = inputs as { x: TensorInfo }
      const axes = util.parseAxisParam(attrs.axis as number | number[], x.shape).sort((a, b) => a - b)
      const [from, to] = [axes[0] ?? 0, (axes.at(-1) ?? -1) + 1]
      const contiguous = to - from === axes.length
      if (x.dtype !== 'float32' || !contiguous || axes.length === 0) return runStock(stock, kernelCall)
      const [outer, count, inner] = [x.shape.slice(0, from), x.shape.slice(from, to), x.shape.slice(to)].map(util.sizeFromShape)
      const kept = attrs.keepDims ? axes.map(() => 1) : []
      const out = backend.makeOutput([...x.shape.slice(0, from), ...kept, ...x.shape.slice(to)], 'float32')
      const sizes = [outer, count, inner] as [number, number, number]
      native.call.sum(native.address(x), native.address(out), ...sizes, scale(sizes[1]))
      return out
    },
  })
  return [entry('Sum', () => 1), entry('Mean', (count) => 1 / count)]
}
