import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { FedweaveError } from '@fedweave/aggregator'
import type * as tfjs from '@tensorflow/tfjs'

export type TensorFlow = typeof tfjs

const CORE = '@tensorflow/tfjs'
const WASM = '@tensorflow/tfjs-backend-wasm'

/**
 * Loads TensorFlow.js as it is installed beside the module `from`: on one thread of WebAssembly, with SIMD where the
 * machine has it, or on plain JavaScript where that backend does not start. Throws `FL_DEPENDENCY_MISSING`.
 */
export async function loadTensorFlow(from: string | URL = import.meta.url): Promise<TensorFlow> {
  const require = createRequire(from)
  const tf = load<TensorFlow>(require, CORE)
  const wasm = load<{ setWasmPaths(folder: string): void }>(require, WASM)
  tf.enableProdMode() // or it prints advice on every start
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  wasm.setWasmPaths(`${dirname(require.resolve(WASM))}/`)
  if (!(await tf.setBackend('wasm'))) await tf.setBackend('cpu')
  return tf
}

function load<T>(require: NodeJS.Require, name: string): T {
  try {
    return require(name) as T
  } catch (cause) {
    throw new FedweaveError('FL_DEPENDENCY_MISSING', `held-out evaluation needs ${CORE} and ${WASM}: ${name} does not load`, {
      cause,
      cure: `Run \`npm install ${CORE}@4.22.0 ${WASM}@4.22.0\`, or leave \`evaluation\` out of the config.`,
    })
  }
}
