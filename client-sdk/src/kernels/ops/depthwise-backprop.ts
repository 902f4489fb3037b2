import type {
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  TensorInfo,
} from '@tensorflow/tfjs'
import { floats } from '../backend.ts'
import { convGeometry, type Geometry } from '../geometry.ts'
import type { KernelCall, KernelEntry } from '../registry.ts'

/** The two gradients of a depthwise convolution, which tfjs's wasm backend lacks, as loops over its heap. */
export const depthwiseBackpropFilter: KernelEntry = {
  name: 'DepthwiseConv2dNativeBackpropFilter',
  make:
    () =>
    ({ inputs, attrs, backend }: KernelCall) => {
      const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
      const { filterShape, ...options } = attrs as unknown as DepthwiseConv2dNativeBackpropFilterAttrs
      const g = convGeometry('DepthwiseConv2dNativeBackpropFilter', x.shape, filterShape, options, true)
      const out = backend.makeOutput(filterShape, 'float32')
      const [pixels, errors, dw] = [floats(backend, x), floats(backend, dy), floats(backend, out)]
      dw.fill(0)
      eachProduct(g, (pixel, error, weight) => {
        dw[weight] = (dw[weight] as number) + (pixels[pixel] as number) * (errors[error] as number)
      })
      return out
    },
}

export const depthwiseBackpropInput: KernelEntry = {
  name: 'DepthwiseConv2dNativeBackpropInput',
  make:
    () =>
    ({ inputs, attrs, backend }: KernelCall) => {
      const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
      const { inputShape, ...options } = attrs as unknown as DepthwiseConv2dNativeBackpropInputAttrs
      const g = convGeometry('DepthwiseConv2dNativeBackpropInput', inputShape, filter.shape, options, true)
      const out = backend.makeOutput(inputShape, 'float32')
      const [errors, weights, dx] = [floats(backend, dy), floats(backend, filter), floats(backend, out)]
      dx.fill(0)
      eachProduct(g, (pixel, error, weight) => {
        dx[pixel] = (dx[pixel] as number) + (weights[weight] as number) * (errors[error] as number)
      })
      return out
    },
}

/** Calls `visit` with the flat indices in x, dy and filter of every product that the forward pass adds up. */
function eachProduct(g: Geometry, visit: (pixel: number, error: number, weight: number) => void): void {
  const multiplier = g.outChannels / g.inChannels
  for (let image = 0; image < g.batch; image++) {
    for (let row = 0; row < g.outHeight; row++) {
      for (let column = 0; column < g.outWidth; column++) {
        const error = ((image * g.outHeight + row) * g.outWidth + column) * g.outChannels
        for (let r = 0; r < g.filterHeight; r++) {
          const y = row * g.strideHeight - g.padTop + r * g.dilationHeight
          if (y < 0 || y >= g.inHeight) continue
          for (let c = 0; c < g.filterWidth; c++) {
            const x = column * g.strideWidth - g.padLeft + c * g.dilationWidth
            if (x < 0 || x >= g.inWidth) continue
            const pixel = ((image * g.inHeight + y) * g.inWidth + x) * g.inChannels
            const weight = (r * g.filterWidth + c) * g.outChannels
            for (let k = 0; k < g.outChannels; k++) visit(pixel + Math.floor(k / multiplier), error + k, weight + k)
          }
        }
      }
    }
  }
}
