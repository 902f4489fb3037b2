import type { DataType, TensorInfo } from '@tensorflow/tfjs'

/**
 * The part of tfjs 4.22.0's `BackendWasm` that the kernels use. tfjs calls some of it private; that is why the peer
 * dependency is pinned to one version.
 */
export interface WasmBackend {
  readonly wasm: WasmModule
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } }
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo
  disposeData(dataId: object): boolean
  incRef(dataId: object): void
  typedArrayFromHeap(info: TensorInfo): Float32Array | Int32Array | Uint8Array
}

/** What Emscripten leaves on its module object: the allocator, and the memory under one of two names. */
export interface WasmModule {
  _malloc(bytes: number): number
  _free(pointer: number): void
  readonly HEAPU8: Uint8Array
  /** The memory in tfjs's threaded build. */
  readonly wasmMemory?: WebAssembly.Memory
  /** The exports, memory among them, in tfjs's single-threaded builds. */
  readonly asm?: Readonly<Record<string, unknown>>
}

/** Byte address of a tensor's first element. `>>> 0` because Emscripten's pointers turn negative above 2 GiB. */
export function addressOf(backend: WasmBackend, tensor: { readonly dataId: object }): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0
}

/**
 * Live view of a float32 tensor on the heap. An allocation may grow the heap and detach the view: allocate every
 * output first, then take the views.
 */
export function floats(backend: WasmBackend, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array
}
