import { type TensorInfo, util } from '@tensorflow/tfjs'
import { type KernelCall, type KernelEntry, runStock } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** What a fused kernel does to a product after it is made. */
export interface Epilogue {
  readonly bias: TensorInfo | undefined
  readonly relu: boolean
}

/** The epilogue that a fused kernel's call asks for, or undefined where only the stock kernel has it. */
export function epilogueOf({ inputs, attrs }: KernelCall): Epilogue | undefined {
  const { bias, preluActivationWeights } = inputs
  const { activation } = attrs
  const known = (activation === 'linear' || activation === 'relu') && preluActivationWeights == null
  if (!known || (bias != null && bias.shape.length !== 1)) return undefined
  return { bias: bias ?? undefined, relu: activation === 'relu' }
}

/** Adds the bias to `out`, whose last axis it belongs to, and cuts at zero, in place. */
export function finish(native: NativeModule, out: TensorInfo, { bias, relu }: Epilogue): void {
  const address = native.address(out)
  const columns = out.shape.at(-1) ?? 0
  const size = util.sizeFromShape(out.shape)
  if (bias !== undefined && columns > 0) {
    native.call.addBias(address, native.address(bias), address, size / columns, columns, relu ? 1 : 0)
  } else if (relu) {
    native.call.reluGrad(address, address, address, size) // x where x > 0, else 0
  }
}

/** Adding a bias, and the gradient of ReLU under a name of our own: `../relu-gradient.ts` makes tfjs call it. */
export function activationEntries(native: NativeModule): readonly KernelEntry[] {
  return [
    {
      name: 'Add',
      make: (stock) => (kernelCall) => {
        const { a, b } = kernelCall.inputs as { a: TensorInfo; b: TensorInfo }
        const columns = b.shape[0] ?? 0
        const isBias = b.shape.length === 1 && a.shape.length > 1 && a.shape.at(-1) === columns && columns > 0
        if (!isBias || a.dtype !== 'float32' || b.dtype !== 'float32') return runStock(stock, kernelCall)
        const out = kernelCall.backend.makeOutput(a.shape, 'float32')
        const rows = util.sizeFromShape(a.shape) / columns
        native.call.addBias(native.address(a), native.address(b), native.address(out), rows, columns, 0)
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
