import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { activate, isRunning, shutDown } from '../../../client-sdk/src/tfjs/active-backend.ts'
import { selectBackend } from '../../../client-sdk/src/tfjs/backend.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('activate', () => {
  it('says that a backend does not exist, and leaves the one that was set', async () => {
    await tf.setBackend('cpu')
    expect(await activate('webgl')).toBe(false)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('keeps the backend that the app has set while this one failed', async () => {
    await tf.setBackend('cpu')
    vi.spyOn(tf.engine(), 'setBackend').mockImplementationOnce(async () => {
      await tf.engine().setBackend('cpu')
      return false
    })
    expect(await activate('wasm')).toBe(false)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('takes the cpu where the one from before does not start either', async () => {
    for (const name of ['broken', 'broken too']) {
      tf.registerBackend(name, () => {
        throw new Error('no driver')
      })
    }
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    tf.engine().backendName = 'broken' // what an app's own failed start leaves
    expect(await activate('broken too')).toBe(false)
    expect(tf.getBackend()).toBe('cpu')
    expect([...tf.tensor1d([1, 2]).add(1).dataSync()]).toEqual([2, 3])
    for (const name of ['broken', 'broken too']) tf.removeBackend(name)
  })
})

describe('shutDown', () => {
  it('frees a backend, which starts anew when it is set again', async () => {
    let made = 0
    tf.registerBackend(
      'spare',
      () => {
        made++
        return Object.assign(new tf.KernelBackend(), { dispose: () => undefined })
      },
      7,
    )
    expect(await activate('spare')).toBe(true)
    expect(isRunning('spare')).toBe(true)
    shutDown('spare')
    expect(isRunning('spare')).toBe(false)
    expect(await activate('spare')).toBe(true)
    expect(made).toBe(2)
    expect(tf.engine().registryFactory.spare?.priority).toBe(7)
    tf.removeBackend('spare')
    await tf.setBackend('cpu')
  })
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
    expect(first).toEqual({ name: 'wasm', simd: true, kernels: 'wasm-simd', reason: 'no GPU to train on here' })
    expect(second).toBe(first)
    expect(tf.getBackend()).toBe('wasm')
    expect(tf.env().get('WASM_HAS_MULTITHREAD_SUPPORT')).toBe(false)
    expect(events.map((event) => process.listenerCount(event))).toEqual(listeners)
    for (const method of noise) expect(method).not.toHaveBeenCalled()
  })
})
