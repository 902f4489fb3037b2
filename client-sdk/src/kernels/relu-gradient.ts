import {
  engine,
  getBackend,
  getGradient,
  getKernel,
  mul,
  registerGradient,
  step,
  type Tensor,
  unregisterGradient,
} from '@tensorflow/tfjs'

/**
 * Makes tfjs take the gradient of ReLU from its output, by the kernel 'ReluGrad' where the active backend has one.
 * tfjs's gradients are shared by all backends, so the others get the same value from common operations. Returns a
 * function that puts the stock gradient back.
 */
export function replaceReluGradient(): () => void {
  const stock = getGradient('Relu')
  if (stock !== undefined) unregisterGradient('Relu')
  registerGradient({
    kernelName: 'Relu',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGradient(dy as Tensor, y as Tensor) }),
  })
  return () => {
    unregisterGradient('Relu')
    if (stock !== undefined) registerGradient(stock)
  }
}

function reluGradient(dy: Tensor, y: Tensor): Tensor {
  if (getKernel('ReluGrad', getBackend()) === undefined) return mul(dy, step(y))
  return engine().runKernel('ReluGrad', { y, dy }) as Tensor
}
