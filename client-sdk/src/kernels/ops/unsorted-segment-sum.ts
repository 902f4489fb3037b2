import { type TensorInfo, util } from '@tensorflow/tfjs'
import { floats } from '../backend.ts'
import type { KernelCall, KernelEntry } from '../registry.ts'

/**
 * UnsortedSegmentSum (the gradient of an embedding look-up), which tfjs's wasm backend lacks: row i of x is added to
 * row segmentIds[i] of the result. Ids outside [0, numSegments) are left out, as on the cpu backend.
 */
export const unsortedSegmentSum: KernelEntry = {
  name: 'UnsortedSegmentSum',
  make:
    () =>
    ({ inputs, attrs, backend }: KernelCall) => {
      const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo }
      const numSegments = attrs.numSegments as number
      const rows = util.sizeFromShape(segmentIds.shape)
      const width = util.sizeFromShape(x.shape) / rows
      const out = backend.makeOutput([numSegments, ...x.shape.slice(segmentIds.shape.length)], 'float32')
      const ids = backend.typedArrayFromHeap(segmentIds)
      const [values, sums] = [floats(backend, x), floats(backend, out)]
      sums.fill(0)
      for (let row = 0; row < rows; row++) {
        const id = ids[row] as number
        if (id < 0 || id >= numSegments) continue
        for (let i = 0; i < width; i++) {
          sums[id * width + i] = (sums[id * width + i] as number) + (values[row * width + i] as number)
        }
      }
      return out
    },
}
