import type { Conv2DBackpropFilterAttrs, TensorInfo } from '@tensorflow/tfjs'
import { convGeometry } from '../geometry.ts'
import type { KernelCall, KernelEntry } from '../registry.ts'
import { compose } from './compose.ts'

/**
 * Conv2DBackpropFilter, which tfjs's wasm backend lacks, as one matrix product: the input patches that each filter
 * tap saw, as rows, [taps * inChannels, pixels], times dy, [pixels, outChannels].
 */
export const conv2dBackpropFilter: KernelEntry = {
  name: 'Conv2DBackpropFilter',
  make:
    () =>
    ({ inputs, attrs, backend }: KernelCall) => {
      const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
      const { filterShape, ...options } = attrs as unknown as Conv2DBackpropFilterAttrs
      const g = convGeometry('Conv2DBackpropFilter', x.shape, filterShape, options)
      const pixels = g.batch * g.outHeight * g.outWidth
      return compose(backend, (run) => {
        const below = (g.outHeight - 1) * g.strideHeight + g.filterHeight - g.padTop - g.inHeight
        const beyond = (g.outWidth - 1) * g.strideWidth + g.filterWidth - g.padLeft - g.inWidth
        const paddings = [
          [0, 0],
          [g.padTop, Math.max(0, below)],
          [g.padLeft, Math.max(0, beyond)],
          [0, 0],
        ]
        const padded = run('PadV2', { x }, { paddings, constantValue: 0 })
        const taps: TensorInfo[] = []
        for (let row = 0; row < g.filterHeight; row++) {
          for (let column = 0; column < g.filterWidth; column++) {
            const end = [row + (g.outHeight - 1) * g.strideHeight + 1, column + (g.outWidth - 1) * g.strideWidth + 1] as const
            const slice = {
              begin: [0, row, column, 0],
              end: [g.batch, ...end, g.inChannels],
              strides: [1, g.strideHeight, g.strideWidth, 1],
              ...{ beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
            }
            const seen = run('StridedSlice', { x: padded }, slice)
            const columns = run('Reshape', { x: seen }, { shape: [pixels, g.inChannels] })
            // Rows, not columns: tfjs joins along axis 0 with one copy a tap, along axis 1 with one a pixel and tap.
            taps.push(run('Transpose', { x: columns }, { perm: [1, 0] }))
          }
        }
        const patches = run('Concat', taps, { axis: 0 })
        const errors = run('Reshape', { x: dy }, { shape: [pixels, g.outChannels] })
        const product = run('BatchMatMul', { a: patches, b: errors }, { transposeA: false, transposeB: false })
        return run('Reshape', { x: product }, { shape: [...filterShape] })
      })
    },
}
