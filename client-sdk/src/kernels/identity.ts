import type { TensorInfo } from '@tensorflow/tfjs'
import { type KernelEntry, runStock } from './registry.ts'

/**
 * Identity that shares the tensor's memory, counted by reference, as the backend's own Reshape does and as Identity does
 * on the cpu backend. The stock kernel copies; tfjs clones every tensor that it keeps for the backward pass.
 */
export const identity: KernelEntry = {
  name: 'Identity',
  make: (stock) => (call) => {
    const { x } = call.inputs as { x: TensorInfo }
    if (x.dtype === 'string') return runStock(stock, call)
    call.backend.incRef(x.dataId)
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
  },
}
