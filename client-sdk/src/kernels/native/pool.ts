import type { TensorInfo } from '@tensorflow/tfjs'
import { type Geometry, type PoolOptions, poolGeometry } from '../geometry.ts'
import type { KernelEntry } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** The gradients of max and average pooling. */
export function poolEntries(native: NativeModule): readonly KernelEntry[] {
  const { call, address } = { call: native.call, address: (tensor: TensorInfo) => native.address(tensor) }
  return [
    {
      name: 'MaxPoolGrad',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
          const dx = backend.makeOutput(input.shape, 'float32')
          const g = poolGeometry(input.shape, attrs as unknown as PoolOptions)
          call.maxPoolGrad(address(input), address(dy), address(dx), ...sizes(g))
          return dx
        },
    },
    {
      name: 'AvgPoolGrad',
      make:
        () =>
        ({ inputs, attrs, backend }) => {
          const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
          const dx = backend.makeOutput(input.shape, 'float32')
          const g = poolGeometry(input.shape, attrs as unknown as PoolOptions)
          call.avgPoolGrad(address(dy), address(dx), ...sizes(g))
          return dx
        },
    },
  ]
}

function sizes(g: Geometry): number[] {
  return [
    ...[g.batch, g.inHeight, g.inWidth, g.inChannels, g.filterHeight, g.filterWidth],
    ...[g.strideHeight, g.strideWidth, g.padTop, g.padLeft, g.outHeight, g.outWidth],
  ]
}
