import { FedweaveError } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { installKernels } from '../kernels/index.ts'

export interface Backend {
  readonly name: 'wasm'
  /** Whether this engine runs SIMD code; without it training is right but several times slower. */
  readonly simd: boolean
  /** `wasm-simd`: native training kernels; `ops`: the same gradients put together from TensorFlow.js ops. */
  readonly kernels: 'wasm-simd' | 'ops'
}

let chosen: Promise<Backend> | undefined

/**
 * Makes TensorFlow.js in this thread train on its WebAssembly backend with Fedweave's kernels, and says what it chose.
 * Calls share one set-up, since two at once would make TensorFlow.js drop the first. Single-threaded: a thread pool
 * would take the cores from the app and from other clients on the machine. In Node the binaries are found beside the
 * installed package; a bundled page first names them with `setWasmPaths`.
 *
 * Throws `FL_DEPENDENCY_MISSING` when the backend does not start; then the backend that was set before is set again.
 */
export function selectBackend(): Promise<Backend> {
  chosen ??= setUp().catch((cause: unknown) => {
    chosen = undefined
    throw cause
  })
  return chosen
}

async function setUp(): Promise<Backend> {
  const before = tf.getBackend()
  try {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    const simd = Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))
    if (!(await withoutProcessHooks(() => tf.setBackend('wasm')))) throw new Error('setBackend("wasm") failed')
    const { variant } = await installKernels()
    return { name: 'wasm', simd, kernels: variant }
  } catch (cause) {
    // A failed setBackend leaves getBackend() naming a backend that is not there.
    await tf.setBackend(before || 'cpu')
    throw new FedweaveError('FL_DEPENDENCY_MISSING', `@tensorflow/tfjs-backend-wasm does not start: ${String(cause)}`, { cause })
  }
}

/**
 * Emscripten's loader hooks `uncaughtException` and `unhandledRejection` of the whole Node process and throws from them,
 * which would change how the host app fails. Takes off what `start` added.
 */
async function withoutProcessHooks<T>(start: () => Promise<T>): Promise<T> {
  if (typeof process === 'undefined' || typeof process.rawListeners !== 'function') return start()
  const events = ['uncaughtException', 'unhandledRejection']
  const own = new Set(events.flatMap((event) => process.rawListeners(event)))
  try {
    return await start()
  } finally {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!own.has(listener) && /ExitStatus|throw reason/.test(String(listener))) {
          process.removeListener(event, listener as () => void)
        }
      }
    }
  }
}
