import { type TensorInfo, util } from '@tensorflow/tfjs'
import type { KernelEntry } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** Adding a bias, and the gradient of ReLU under a name of our own: `../relu-gradient.ts` makes tfjs call it. */
export function activationEntries(native: NativeModule): readonly KernelEntry[] {
  return [
    {
      name: 'Add',
      make: (stock) => (kernelCall) => {
        const { a, b } = kernelCall.inputs as { a: TensorInfo; b: TensorInfo }
        const columns = b.shape[0] ?? 0
        const isBias = b.shape.length === 1 && a.shape.length > 1 && a.shape.at(-1) === columns && columns > 0
        if (stock !== undefined && !(isBias && a.dtype === 'float32' && b.dtype === 'float32')) return stock(kernelCall)
        const out = kernelCall.backend.makeOutput(a.shape, 'float32')
        const rows = util.sizeFromShape(a.shape) / columns
        native.call.addBias(native.address(a), native.address(b), native.address(out), rows, columns)
        return out
      },
    },
    {
      name: 'ReluGrad',
      make:
        () =>
        ({ inputs, backend }) => {
          const { y, dy } = inputs as { y: TensorInfo; dy: TensorInfo }
          const dx = backend.makeOutput(y.shape, 'float32')
          native.call.reluGrad(native.address(y), native.address(dy), native.address(dx), util.sizeFromShape(y.shape))
          return dx
        },
    },
  ]
}
