import { getKernel, type TensorInfo } from '@tensorflow/tfjs'
import type { WasmBackend } from '../backend.ts'
import type { Kernel } from '../registry.ts'

/** Runs the wasm backend's kernel `name`; its result counts as an intermediate of the composition. */
export type RunKernel = (
  name: string,
  inputs: Readonly<Record<string, TensorInfo>> | readonly TensorInfo[],
  attrs: Readonly<Record<string, unknown>>,
) => TensorInfo

/**
 * Builds one kernel out of others: `body` runs them by name, and every result but the one it returns is freed,
 * also when a kernel throws. tfjs counts only what a kernel returns, so nothing else may stay on the heap.
 */
export function compose(backend: WasmBackend, body: (run: RunKernel) => TensorInfo): TensorInfo {
  const made: TensorInfo[] = []
  let result: TensorInfo | undefined
  try {
    result = body((name, inputs, attrs) => {
      const kernel = getKernel(name, 'wasm')?.kernelFunc as Kernel | undefined
      if (kernel === undefined) throw new Error(`tfjs's wasm backend has no kernel ${name}`)
      const info = kernel({ inputs: inputs as Readonly<Record<string, TensorInfo>>, attrs, backend }) as TensorInfo
      made.push(info)
      return info
    })
    return result
  } finally {
    for (const info of made) if (info !== result) backend.disposeData(info.dataId)
  }
}
