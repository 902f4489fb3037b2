import type { TensorInfo } from '@tensorflow/tfjs'
import { type ConvOptions, convGeometry } from './geometry.ts'
import { type KernelEntry, runStock } from './registry.ts'

/**
 * A stock convolution with 'same' padding written out in pixels. Left to work it out itself, XNNPACK gives all zeros for
 * some filters smaller than the stride (2 x 2 with stride 4 on 4 x 4 pixels, 1 x 2 with stride 2).
 */
function withExplicitPadding(name: string, depthwise: boolean): KernelEntry {
  return {
    name,
    make: (stock) => (call) => {
      const options = call.attrs as unknown as ConvOptions
      if (options.pad !== 'same') return runStock(stock, call)
      const { x, filter } = call.inputs as { x: TensorInfo; filter: TensorInfo }
      const g = convGeometry(name, x.shape, filter.shape, options, depthwise)
      const pad = [
        [0, 0],
        [g.padTop, g.padBottom],
        [g.padLeft, g.padRight],
        [0, 0],
      ]
      return runStock(stock, { ...call, attrs: { ...call.attrs, pad } })
    },
  }
}

export const stockConvolutions = [
  withExplicitPadding('Conv2D', false),
  withExplicitPadding('FusedConv2D', false),
  withExplicitPadding('DepthwiseConv2dNative', true),
  withExplicitPadding('FusedDepthwiseConv2D', true),
]
