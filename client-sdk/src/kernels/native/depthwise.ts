import type {
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  TensorInfo,
} from '@tensorflow/tfjs'
import { convGeometry, type Geometry } from '../geometry.ts'
import type { KernelEntry } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** The two gradients of a depthwise convolution. */
export function depthwiseEntries(native: NativeModule): readonly KernelEntry[] {
  const { call } = native
  return [
    {
      name: 'DepthwiseConv2dNativeBackpropFilter',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
          const { filterShape, ...options } = attrs as unknown as DepthwiseConv2dNativeBackpropFilterAttrs
          const g = convGeometry('DepthwiseConv2dNativeBackpropFilter', x.shape, filterShape, options, true)
          const dw = backend.makeOutput(filterShape, 'float32')
          call.depthwiseBackpropFilter(native.address(x), native.address(dy), native.address(dw), ...sizes(g))
          return dw
        },
    },
    {
      name: 'DepthwiseConv2dNativeBackpropInput',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
          const { inputShape, ...options } = attrs as unknown as DepthwiseConv2dNativeBackpropInputAttrs
          const g = convGeometry('DepthwiseConv2dNativeBackpropInput', inputShape, filter.shape, options, true)
          const dx = backend.makeOutput(inputShape, 'float32')
          call.depthwiseBackpropInput(native.address(dy), native.address(filter), native.address(dx), ...sizes(g))
          return dx
        },
    },
  ]
}

function sizes(g: Geometry): number[] {
  return [
    ...[g.batch, g.inHeight, g.inWidth, g.inChannels, g.filterHeight, g.filterWidth, g.outChannels / g.inChannels],
    ...[g.strideHeight, g.strideWidth, g.dilationHeight, g.dilationWidth, g.padTop, g.padLeft, g.outHeight, g.outWidth],
  ]
}
