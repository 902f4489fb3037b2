import { FedweaveError } from '@fedweave/aggregator'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { installKernels } from '../kernels/index.ts'
import { activate, isRunning, shutDown } from './active-backend.ts'
import { findAdapter } from './adapter.ts'
import type { Backend, BackendPlatform, GpuBackend } from './choose-backend.ts'
import { probe } from './probe.ts'

/** TensorFlow.js as it is loaded in this thread. */
export function tfjsPlatform(allowSoftwareGpu: boolean): BackendPlatform {
  const ofTheApp = new Set<GpuBackend>()
  let wasm: Pick<Backend, 'simd' | 'kernels'> | undefined
  return {
    async adapter(backend) {
      if (!tf.findBackendFactory(backend)) return undefined
      if (isRunning(backend)) ofTheApp.add(backend)
      return findAdapter(backend)
    },
    async startWasm() {
      if (wasm === undefined || !(await activate('wasm'))) wasm = await startWasm()
      return wasm
    },
    async startGpu(backend) {
      if (allowSoftwareGpu) tf.env().set('SOFTWARE_WEBGL_ENABLED', true)
      if (!(await activate(backend))) return false
      // Half precision, as on some phones, loses small gradients.
      return backend !== 'webgl' || tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
    },
    stopGpu(backend) {
      if (isRunning(backend) && !ofTheApp.has(backend)) shutDown(backend)
    },
    probe,
  }
}

/**
 * Single-threaded: a thread pool would take the cores from the app and from other clients on the machine. Throws
 * `FL_DEPENDENCY_MISSING`; then the backend that was set before is set again.
 */
async function startWasm(): Promise<Pick<Backend, 'simd' | 'kernels'>> {
  const before = tf.getBackend()
  try {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    const simd = Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))
    if (!(await activate('wasm'))) throw new Error('setBackend("wasm") failed')
    const { variant } = await installKernels()
    return { simd, kernels: variant }
  } catch (cause) {
    if (tf.getBackend() === 'wasm') await activate(before || 'cpu')
    throw new FedweaveError('FL_DEPENDENCY_MISSING', `@tensorflow/tfjs-backend-wasm does not start: ${String(cause)}`, { cause })
  }
}
