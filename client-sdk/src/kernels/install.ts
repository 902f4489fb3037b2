import { backend, getBackend } from '@tensorflow/tfjs'
import type { WasmBackend } from './backend.ts'
import { nativeEntries } from './native/entries.ts'
import { NativeModule } from './native/module.ts'
import { opsEntries } from './ops/entries.ts'
import { replaceKernels } from './registry.ts'
import { replaceReluGradient } from './relu-gradient.ts'

export interface KernelOptions {
  /** `'auto'` (the default): the WebAssembly module where it loads, else kernels composed of tfjs's own. `'ops'`: never the module. */
  readonly variant?: 'auto' | 'ops'
  /** Use fused multiply-add where the machine has relaxed SIMD: faster, but results then differ from machine to machine. */
  readonly relaxedSimd?: boolean
}

export interface InstalledKernels {
  readonly variant: 'wasm-simd' | 'ops'
  /** Whether the module rounds products and sums in one step: asked for, and known to this engine. */
  readonly relaxedSimd: boolean
  /** Why the module is not in use, where it was asked for. */
  readonly reason?: string
  /** Puts tfjs's own kernels back. tfjs does so itself when it removes the backend. */
  uninstall(): void
}

let installed: InstalledKernels | undefined

/**
 * Gives tfjs's wasm backend the kernels that training needs, through tfjs's kernel registry: `model.fit`,
 * `trainOnBatch` and `minimize` work as before. Call it after `await tf.setBackend('wasm')`; a second call replaces
 * the first. Where the module cannot load it warns once and installs the variant `'ops'`, slower and as exact.
 * Throws when another backend is active.
 */
export async function installKernels(options: KernelOptions = {}): Promise<InstalledKernels> {
  const { variant = 'auto', relaxedSimd = false } = options
  if (getBackend() !== 'wasm') throw new Error(`installKernels needs tfjs's wasm backend, but ${getBackend()} is active`)
  const wasm = backend() as unknown as WasmBackend
  let native: NativeModule | undefined
  let reason: string | undefined
  if (variant === 'auto') {
    try {
      native = await NativeModule.load(wasm, relaxedSimd)
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
      console.warn(`The WebAssembly training kernels did not load, slower ones take their place: ${reason}`)
    }
  }
  installed?.uninstall()
  const handle: InstalledKernels = {
    variant: native === undefined ? 'ops' : 'wasm-simd',
    relaxedSimd: native?.relaxedSimd ?? false,
    ...(reason === undefined ? {} : { reason }),
    uninstall() {
      if (installed !== handle) return
      installed = undefined
      restoreKernels()
      restoreGradient?.()
      native?.free()
    },
  }
  const restoreKernels = replaceKernels(native === undefined ? opsEntries : nativeEntries(native), handle.uninstall)
  const restoreGradient = native === undefined ? undefined : replaceReluGradient()
  installed = handle
  return handle
}
