import { type TensorInfo, util } from '@tensorflow/tfjs'
import type { KernelCall, KernelEntry } from '../registry.ts'
import type { NativeModule } from './module.ts'

/** The optimisers' updates under names of our own, each giving the new weights and the new state: `../optimizers.ts` calls them. */
export function optimizerEntries(native: NativeModule): readonly KernelEntry[] {
  const { call } = native
  /** One output for each name in `state` and one for the weights; addresses of inputs, then of outputs. */
  const prepare = ({ inputs, backend }: KernelCall, state: readonly string[]) => {
    const read = ['weights', 'gradient', ...state].map((name) => inputs[name] as TensorInfo)
    const { shape } = inputs.weights as TensorInfo
    const outs = ['weights', ...state].map(() => backend.makeOutput(shape, 'float32'))
    const addresses = [...read, ...outs].map((tensor) => native.address(tensor))
    return { outs, args: [...addresses, util.sizeFromShape(shape)] }
  }
  return [
    {
      name: 'SgdUpdate',
      make: () => (kernelCall) => {
        const { outs, args } = prepare(kernelCall, [])
        call.sgd(...args, kernelCall.attrs.rate as number)
        return outs
      },
    },
    {
      name: 'MomentumUpdate',
      make: () => (kernelCall) => {
        const { outs, args } = prepare(kernelCall, ['velocity'])
        const { rate, momentum, nesterov } = kernelCall.attrs as { rate: number; momentum: number; nesterov: boolean }
        call.momentum(...args, rate, momentum, nesterov ? 1 : 0)
        return outs
      },
    },
    {
      name: 'AdamUpdate',
      make: () => (kernelCall) => {
        const { outs, args } = prepare(kernelCall, ['first', 'second'])
        const a = kernelCall.attrs as Readonly<Record<string, number>>
        const settings = [a.rate, a.beta1, a.beta2, a.correction1, a.correction2, a.epsilon, a.keep] as number[]
        call.adam(...args, ...settings)
        return outs
      },
    },
  ]
}
