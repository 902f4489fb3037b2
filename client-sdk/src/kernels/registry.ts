import { getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs'
import type { WasmBackend } from './backend.ts'

/** What tfjs hands to a kernel: inputs and attributes by name. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>
  readonly attrs: Readonly<Record<string, unknown>>
  readonly backend: WasmBackend
}

export type Kernel = (call: KernelCall) => TensorInfo | TensorInfo[]

/** A kernel of ours and tfjs's name for it. */
export interface KernelEntry {
  readonly name: string
  /**
   * `stock` is the kernel that had the name before, tfjs's or an earlier entry's, for cases that this one leaves to it;
   * undefined where tfjs has none.
   */
  readonly make: (stock: Kernel | undefined) => Kernel
}

/** Leaves a call to tfjs's own kernel. */
export function runStock(stock: Kernel | undefined, call: KernelCall): TensorInfo | TensorInfo[] {
  if (stock === undefined) throw new Error("tfjs's wasm backend lacks a kernel that it should have")
  return stock(call)
}

/**
 * Puts `entries` in place of the wasm backend's kernels and returns a function that puts the stock ones back.
 * `onDispose` is called when tfjs takes the backend down, with the memory that the kernels were made for.
 */
export function replaceKernels(entries: readonly KernelEntry[], onDispose: () => void): () => void {
  const undo = entries.map(({ name, make }) => {
    const stock = getKernel(name, 'wasm')
    if (stock !== undefined) unregisterKernel(name, 'wasm')
    const kernelFunc = make(stock?.kernelFunc as Kernel | undefined) as unknown as KernelFunc
    // The stock setupFunc stays: tfjs calls it when it creates a backend, and the stock kernel may come back.
    registerKernel({ ...stock, kernelName: name, backendName: 'wasm', kernelFunc, disposeFunc: onDispose })
    return () => {
      unregisterKernel(name, 'wasm')
      if (stock !== undefined) registerKernel(stock)
    }
  })
  return () => {
    for (const restore of undo.reverse()) restore()
  }
}
