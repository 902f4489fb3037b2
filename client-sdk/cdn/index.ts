import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import {
  type BrowserClientOptions,
  FederatedClient as Client,
  SharedModel as Model,
  type SharedModelOptions,
} from '../src/browser/index.ts'

/** Beside this file. Without SIMD a browser can use a model, if not train it; the build with threads is never loaded. */
const wasmPaths = {
  'tfjs-backend-wasm.wasm': new URL(plain, import.meta.url).href,
  'tfjs-backend-wasm-simd.wasm': new URL(simd, import.meta.url).href,
  'tfjs-backend-wasm-threaded-simd.wasm': new URL(simd, import.meta.url).href,
}

export * from '../src/browser/index.ts'
export * from '../src/data/index.ts'

/** As in `@fedweave/client/browser`, and it finds TensorFlow.js by itself. */
export class FederatedClient extends Client {
  constructor(options: BrowserClientOptions) {
    super({ wasmPaths, ...options })
  }
}

/** As in `@fedweave/client/browser`, and it finds TensorFlow.js by itself. */
export const SharedModel = { open: (options: SharedModelOptions) => Model.open({ wasmPaths, ...options }) }
export type SharedModel = Model
