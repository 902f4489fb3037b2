import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('selectBackend', () => {
  it('sets back what was set when the backend does not start', async () => {
    await tf.setBackend('cpu')
    vi.spyOn(tf.engine(), 'setBackend').mockImplementationOnce(async (name) => {
      tf.engine().backendName = name // what a failed start leaves
      return false
    })
    await expect(selectBackend()).rejects.toMatchObject({ code: 'FL_DEPENDENCY_MISSING' })
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.backend().constructor.name).toBe('MathBackendCPU')
  })

  it('can be tried again, and then sets one single-threaded wasm backend for all callers, silently and without process hooks', async () => {
    const events = ['uncaughtException', 'unhandledRejection']
    const listeners = events.map((event) => process.listenerCount(event))
    const noise = (['log', 'info', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method))
    const [first, second] = await Promise.all([selectBackend(), selectBackend()])
    expect(first).toEqual({ name: 'wasm', simd: true, kernels: 'wasm-simd' })
    expect(second).toBe(first)
    expect(tf.getBackend()).toBe('wasm')
    expect(tf.env().get('WASM_HAS_MULTITHREAD_SUPPORT')).toBe(false)
    expect(events.map((event) => process.listenerCount(event))).toEqual(listeners)
    for (const method of noise) expect(method).not.toHaveBeenCalled()
  })
})
