import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { shutDown } from './active-backend.ts'
import { type Backend, type BackendPlatform, chooseBackend } from './choose-backend.ts'
import { watchGpu } from './gpu-loss.ts'
import { tfjsPlatform } from './platform.ts'

export interface BackendOptions {
  /**
   * Where a page keeps the binaries of `@tensorflow/tfjs-backend-wasm`: a folder's URL, or each file's by its name. Left
   * out, TensorFlow.js looks beside the running script; in Node, beside the installed package.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>
  /** Lets a GPU that the processor emulates compete too. For tests: it is slower than WebAssembly. */
  readonly allowSoftwareGpu?: boolean
}

/** The choice that stands, or is being made. */
let choice: Promise<Backend> | undefined
let standing: Backend | undefined
/** For a backend on a GPU: whether that is gone. */
const watches = new WeakMap<Backend, () => boolean>()

/**
 * Makes TensorFlow.js in this thread train on the fastest backend that is there, and says what it chose and why: its
 * WebAssembly backend with Fedweave's kernels, or WebGL or WebGPU on a real GPU that is faster over a few training steps.
 * The first call in a thread decides; later ones get the same answer, or WebAssembly once the GPU is lost. Results on a
 * GPU differ from machine to machine in the last digits; on WebAssembly they are the same everywhere.
 *
 * Throws `FL_DEPENDENCY_MISSING` when WebAssembly does not start; then the backend that was set before is set again.
 */
export function selectBackend(options: BackendOptions = {}, platform?: BackendPlatform): Promise<Backend> {
  if (standing !== undefined && isLost(standing)) choice = fallBack(standing)
  choice ??= choose(options, platform)
  const made = choice
  made.then(
    (backend) => {
      if (choice === made) standing = backend
    },
    () => {
      if (choice === made) choice = undefined // the next call tries again
    },
  )
  return made
}

/** Whether the GPU under a backend is lost, and all it gives are zeros. The next `selectBackend` takes another one. */
export function isLost(backend: Backend): boolean {
  return watches.get(backend)?.() ?? false
}

async function choose(
  { wasmPaths, allowSoftwareGpu = false }: BackendOptions,
  platform = tfjsPlatform(allowSoftwareGpu),
): Promise<Backend> {
  if (wasmPaths !== undefined) setWasmPaths(wasmPaths)
  const backend = await chooseBackend(platform, allowSoftwareGpu)
  if (backend.name !== 'wasm') watches.set(backend, watchGpu(backend.name))
  return backend
}

async function fallBack({ name }: Backend): Promise<Backend> {
  standing = undefined
  shutDown(name)
  return { name: 'wasm', ...(await tfjsPlatform(false).startWasm()), reason: `${name} lost its GPU` }
}
