import type { TensorInfo } from '@tensorflow/tfjs'
import { floats } from '../backend.ts'
import { type PoolOptions, poolGeometry } from '../geometry.ts'
import type { KernelCall, KernelEntry } from '../registry.ts'

/**
 * MaxPoolGrad that sends each gradient to the first largest value of its window, in row order, as the cpu backend
 * does. The stock wasm kernel starts its search at zero and so drops the gradient of a window without a positive value.
 */
export const maxPoolGrad: KernelEntry = {
  name: 'MaxPoolGrad',
  make:
    () =>
    ({ inputs, attrs, backend }: KernelCall) => {
      const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
      const g = poolGeometry(input.shape, attrs as unknown as PoolOptions)
      const out = backend.makeOutput(input.shape, 'float32')
      const [x, errors, dx] = [floats(backend, input), floats(backend, dy), floats(backend, out)]
      dx.fill(0)
      let error = 0
      for (let image = 0; image < g.batch; image++) {
        const base = image * g.inHeight * g.inWidth
        for (let row = 0; row < g.outHeight; row++) {
          const top = row * g.strideHeight - g.padTop
          for (let column = 0; column < g.outWidth; column++) {
            const left = column * g.strideWidth - g.padLeft
            const rowEnd = Math.min(top + g.filterHeight, g.inHeight)
            const columnEnd = Math.min(left + g.filterWidth, g.inWidth)
            for (let channel = 0; channel < g.inChannels; channel++, error++) {
              let largest = Number.NEGATIVE_INFINITY
              let at = -1
              for (let r = Math.max(top, 0); r < rowEnd; r++) {
                for (let c = Math.max(left, 0); c < columnEnd; c++) {
                  const index = (base + r * g.inWidth + c) * g.inChannels + channel
                  const value = x[index] as number
                  if (value > largest) {
                    largest = value
                    at = index
                  }
                }
              }
              if (at >= 0) dx[at] = (dx[at] as number) + (errors[error] as number)
            }
          }
        }
      }
      return out
    },
}
