import * as tf from '@tensorflow/tfjs'
import type { GpuBackend } from './choose-backend.ts'

/** Watches the GPU under the active backend; the function it returns says whether it has been lost since. */
export function watchGpu(backend: GpuBackend): () => boolean {
  let lost = false
  switch (backend) {
    case 'webgl': {
      const { gl } = (tf.backend() as unknown as { gpgpu: { gl: WebGLRenderingContext } }).gpgpu
      // The browser may bring the context back, but not what was on it.
      gl.canvas.addEventListener('webglcontextlost', () => {
        lost = true
      })
      return () => {
        lost ||= gl.isContextLost() // known before the event comes
        return lost
      }
    }
    case 'webgpu': {
      const { device } = tf.backend() as unknown as { device: { readonly lost: Promise<unknown> } }
      void device.lost.then(() => {
        lost = true
      })
      return () => lost
    }
  }
}
