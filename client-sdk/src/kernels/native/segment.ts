import { type TensorInfo, util } from '@tensorflow/tfjs'
import type { KernelEntry } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** UnsortedSegmentSum: the gradient of gather, and so of an embedding layer. */
export function segmentEntries(native: NativeModule): readonly KernelEntry[] {
  const make: KernelEntry['make'] =
    () =>
    ({ inputs, attrs, backend }) => {
      const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo }
      const segments = attrs.numSegments as number
      const shape = x.shape.slice(segmentIds.shape.length)
      const out = backend.makeOutput([segments, ...shape], 'float32')
      const sizes = [util.sizeFromShape(segmentIds.shape), util.sizeFromShape(shape), segments] as const
      native.call.segmentSum(native.address(x), native.address(segmentIds), native.address(out), ...sizes)
      return out
    }
  return [{ name: 'UnsortedSegmentSum', make }]
}
