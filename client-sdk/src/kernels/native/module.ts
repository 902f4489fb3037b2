import type { TensorInfo } from '@tensorflow/tfjs'
import { addressOf, floats, type WasmBackend } from '../backend.ts'

type Func = (...args: number[]) => number

/** The functions of client-sdk/native/assembly: pointers are byte addresses, sizes counts of elements. */
export interface NativeExports {
  readonly gemm: Func
  readonly GEMM_SCRATCH: WebAssembly.Global
  readonly convScratch: Func
  readonly convForward: Func
  readonly convBackpropFilter: Func
  readonly convBackpropInput: Func
  readonly winogradScratch: Func
  readonly winogradForward: Func
  readonly winogradBackpropFilter: Func
  readonly winogradBackpropInput: Func
  readonly depthwiseBackpropFilter: Func
  readonly depthwiseBackpropInput: Func
  readonly maxPoolGrad: Func
  readonly avgPoolGrad: Func
  readonly sum: Func
  readonly segmentSum: Func
  readonly addBias: Func
  readonly reluGrad: Func
  readonly sgd: Func
  readonly momentum: Func
  readonly adam: Func
}

/** The module, living in the heap of one backend, and one block of scratch there that grows to the largest need. */
export class NativeModule {
  readonly call: NativeExports
  /** Whether products and sums are rounded in one step. */
  readonly relaxedSimd: boolean
  readonly #backend: WasmBackend
  #scratch = 0
  #scratchBytes = 0

  private constructor(call: NativeExports, backend: WasmBackend, relaxedSimd: boolean) {
    this.call = call
    this.relaxedSimd = relaxedSimd
    this.#backend = backend
  }

  /**
   * Compiles the module against the backend's memory: the relaxed build if asked for and if the engine knows it, else the
   * plain one. Throws where WebAssembly SIMD is missing.
   */
  static async load(backend: WasmBackend, relaxed: boolean): Promise<NativeModule> {
    const memory = backend.wasm.wasmMemory ?? backend.wasm.asm?.memory
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("tfjs's wasm backend shows no memory")
    const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer
    const fused = relaxed ? decode(await binary(shared, true)) : undefined
    const usesRelaxed = fused !== undefined && WebAssembly.validate(fused)
    const bytes = usesRelaxed ? fused : decode(await binary(shared, false))
    const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } })
    return new NativeModule(instance.exports as unknown as NativeExports, backend, usesRelaxed)
  }

  /** Address of `bytes` bytes, 16-byte aligned, whose contents last until the next call. */
  scratch(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      this.free()
      const start = this.#backend.wasm._malloc(bytes) >>> 0
      if (start === 0) throw new Error(`no room for ${bytes} bytes of scratch on tfjs's wasm heap`)
      this.#scratch = start
      this.#scratchBytes = bytes
    }
    return this.#scratch
  }

  /** Gives the scratch back to the heap. */
  free(): void {
    if (this.#scratchBytes > 0) this.#backend.wasm._free(this.#scratch)
    this.#scratchBytes = 0
  }

  address(tensor: { readonly dataId: object }): number {
    return addressOf(this.#backend, tensor)
  }

  /** Fills a float32 tensor with zeros. */
  clear(tensor: TensorInfo): void {
    floats(this.#backend, tensor).fill(0)
  }
}

/** One chunk for each build, so that a bundler's user loads one. */
async function binary(shared: boolean, relaxed: boolean): Promise<string> {
  if (shared) {
    return relaxed ? (await import('../generated/relaxed-shared.ts')).wasm : (await import('../generated/simd-shared.ts')).wasm
  }
  return relaxed ? (await import('../generated/relaxed.ts')).wasm : (await import('../generated/simd.ts')).wasm
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
