import type { Conv2DAttrs, Conv2DBackpropFilterAttrs, Conv2DBackpropInputAttrs, TensorInfo } from '@tensorflow/tfjs'
import { convGeometry, type Geometry } from '../geometry.ts'
import { type KernelCall, type KernelEntry, runStock } from '../registry.ts'
import { type Epilogue, epilogueOf, finish } from './activation.ts'
import type { NativeModule } from './module.ts'

/**
 * Conv2D, plain and fused, and its two gradients. Dilated convolutions, which tfjs cannot differentiate either, stay with the
 * stock kernel.
 */
export function conv2dEntries(native: NativeModule): readonly KernelEntry[] {
  const { call } = native
  /** `tensors`: the two that the pass reads and the one that it writes. */
  const run = (
    pass: 'Forward' | 'BackpropFilter' | 'BackpropInput',
    g: Geometry,
    ...tensors: [TensorInfo, TensorInfo, TensorInfo]
  ) => {
    if (g.batch * g.outHeight * g.outWidth === 0) {
      native.clear(tensors[2])
      return
    }
    const addresses = tensors.map((tensor) => native.address(tensor))
    const outs = pass === 'BackpropInput' ? [g.inHeight, g.inWidth] : [g.outHeight, g.outWidth]
    if (winogradPays(g, outs as [number, number])) {
      const scratch = native.scratch(call.winogradScratch(g.filterHeight, g.inChannels, g.outChannels) >>> 0)
      call[`winograd${pass}`](...addresses, scratch, ...winogradSizes(g))
    } else {
      const [, ...image] = sizes(g)
      call[`conv${pass}`](...addresses, native.scratch(call.convScratch(...image) >>> 0), ...sizes(g))
    }
  }
  const forward = (name: string, { inputs, attrs, backend }: KernelCall, epilogue: Epilogue | undefined) => {
    const { x, filter } = inputs as { x: TensorInfo; filter: TensorInfo }
    const g = convGeometry(name, x.shape, filter.shape, attrs as unknown as Conv2DAttrs)
    if (epilogue === undefined || g.dilationHeight > 1 || g.dilationWidth > 1) return undefined
    const y = backend.makeOutput([g.batch, g.outHeight, g.outWidth, g.outChannels], 'float32')
    run('Forward', g, x, filter, y)
    finish(native, y, epilogue)
    return y
  }
  return [
    {
      name: 'Conv2D',
      make: (stock) => (kernelCall) =>
        forward('Conv2D', kernelCall, { bias: undefined, relu: false }) ?? runStock(stock, kernelCall),
    },
    {
      name: 'FusedConv2D',
      make: (stock) => (kernelCall) => forward('FusedConv2D', kernelCall, epilogueOf(kernelCall)) ?? runStock(stock, kernelCall),
    },
    {
      name: 'Conv2DBackpropFilter',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
          const { filterShape, ...options } = attrs as unknown as Conv2DBackpropFilterAttrs
          const g = convGeometry('Conv2DBackpropFilter', x.shape, filterShape, options)
          const dw = backend.makeOutput(filterShape, 'float32')
          run('BackpropFilter', g, x, dy, dw)
          return dw
        },
    },
    {
      name: 'Conv2DBackpropInput',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
          const { inputShape, ...options } = attrs as unknown as Conv2DBackpropInputAttrs
          const g = convGeometry('Conv2DBackpropInput', inputShape, filter.shape, options)
          const dx = backend.makeOutput(inputShape, 'float32')
          run('BackpropInput', g, dy, filter, dx)
          return dx
        },
    },
  ]
}

/**
 * Winograd's products and transforms against the direct products, for `outs` pixels of output: measured, a transformed
 * point costs about as much as 1.5 products, so small images with few pixels in each 6 x 6 patch do not pay.
 */
function winogradPays(g: Geometry, [height, width]: [number, number]): boolean {
  const taps = g.filterHeight
  if ((taps !== 3 && taps !== 5) || g.filterWidth !== taps || g.strideHeight > 1 || g.strideWidth > 1) return false
  if (g.inChannels % 8 !== 0 || g.outChannels % 8 !== 0) return false
  const side = 6 - taps + 1
  const patches = Math.ceil(height / side) * Math.ceil(width / side)
  return 1.5 * 36 * patches < taps * taps * height * width
}

function winogradSizes(g: Geometry): number[] {
  const [images, filter] = [
    [g.batch, g.inHeight, g.inWidth, g.inChannels],
    [g.filterHeight, g.outChannels],
  ]
  return [...images, ...filter, g.padTop, g.padLeft, g.outHeight, g.outWidth]
}

function sizes(g: Geometry): number[] {
  return [
    ...[g.batch, g.inHeight, g.inWidth, g.inChannels],
    ...[g.filterHeight, g.filterWidth, g.outChannels],
    ...[g.strideHeight, g.strideWidth, g.padTop, g.padLeft, g.outHeight, g.outWidth],
  ]
}
