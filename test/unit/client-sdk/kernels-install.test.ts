import { type InstalledKernels, installKernels } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

beforeEach(async () => {
  await tf.setBackend('wasm')
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** The gradient of max pooling over one window of negative values: all of it belongs to the largest. */
function gradientOfNegativeWindow(): number[] {
  return tf.tidy(() => {
    const x = tf.tensor4d([-3, -2, -1, -4], [1, 2, 2, 1])
    return [
      ...tf
        .grad((a) => tf.maxPool(a as tf.Tensor4D, 2, 2, 'valid').sum())(x)
        .dataSync(),
    ]
  })
}

function gradientOfFilter(): number[] {
  return tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
    const f = tf.tensor4d([1, 1, 1, 1], [2, 2, 1, 1])
    return [
      ...tf
        .grad((a) => tf.conv2d(x, a as tf.Tensor4D, 1, 'valid').sum())(f)
        .dataSync(),
    ]
  })
}

describe('installKernels', () => {
  test.each(['auto', 'ops'] as const)(
    '%s gives a window without a positive value its gradient, and filters theirs',
    async (variant) => {
      const kernels = await installKernels({ variant })
      expect(kernels).toMatchObject({ variant: variant === 'ops' ? 'ops' : 'wasm-simd', relaxedSimd: false })
      expect(gradientOfNegativeWindow()).toEqual([0, 0, 1, 0])
      expect(gradientOfFilter()).toEqual([12, 16, 24, 28])
    },
  )

  test('falls back with one warning and right gradients when the module does not load', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    vi.spyOn(WebAssembly, 'instantiate').mockRejectedValueOnce(new Error('SIMD unsupported'))
    const kernels = await installKernels()
    expect(kernels).toMatchObject({ variant: 'ops', reason: 'SIMD unsupported' })
    expect(warn.mock.calls).toEqual([
      ['The WebAssembly training kernels did not load, slower ones take their place: SIMD unsupported'],
    ])
    expect(gradientOfNegativeWindow()).toEqual([0, 0, 1, 0])
    expect(gradientOfFilter()).toEqual([12, 16, 24, 28])
  })

  test('uses the plain module, silently, where relaxed SIMD is asked for but unknown to the engine', async () => {
    const warn = vi.spyOn(console, 'warn')
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(await installKernels({ relaxedSimd: true })).toMatchObject({ variant: 'wasm-simd', relaxedSimd: false })
    expect(warn).not.toHaveBeenCalled()
  })

  test('uninstalling puts the stock kernels and the stock gradient of ReLU back', async () => {
    ;(await installKernels()).uninstall()
    const names = ['Conv2D', 'Conv2DBackpropFilter', 'BatchMatMul', 'MaxPoolGrad', 'Sum', 'ReluGrad', 'AdamUpdate']
    const stock = names.map((name) => tf.getKernel(name, 'wasm')?.kernelFunc)
    const gradient = tf.getGradient('Relu')
    const kernels = await installKernels()
    const ours = names.map((name) => tf.getKernel(name, 'wasm')?.kernelFunc)
    expect(ours.filter((kernel, i) => kernel === undefined || kernel === stock[i])).toEqual([])
    expect(tf.getGradient('Relu')).not.toBe(gradient)
    kernels.uninstall()
    expect(names.map((name) => tf.getKernel(name, 'wasm')?.kernelFunc)).toEqual(stock)
    expect(tf.getGradient('Relu')).toBe(gradient)
  })

  test('a second installation replaces the first, whose handle then does nothing', async () => {
    const first = await installKernels()
    const second: InstalledKernels = await installKernels({ variant: 'ops' })
    first.uninstall()
    expect(gradientOfFilter()).toEqual([12, 16, 24, 28])
    second.uninstall()
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBeUndefined()
  })

  test('the gradient of ReLU stays right on other backends', async () => {
    await installKernels()
    await tf.setBackend('cpu')
    const gradient = tf.grad((x) =>
      tf
        .relu(x)
        .mul(tf.tensor1d([2, 3, 4]))
        .sum(),
    )
    expect([...gradient(tf.tensor1d([-1, 0, 5])).dataSync()]).toEqual([0, 0, 4])
  })

  test('refuses to install while another backend is active', async () => {
    await tf.setBackend('cpu')
    await expect(installKernels()).rejects.toThrow("installKernels needs tfjs's wasm backend, but cpu is active")
  })
})

describe('removing the backend', () => {
  test('takes the kernels, made for its memory, with it', async () => {
    await installKernels()
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm')
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBeUndefined()
    tf.registerBackend('wasm', factory)
    await tf.setBackend('wasm')
    await installKernels()
    expect(gradientOfFilter()).toEqual([12, 16, 24, 28])
  })
})
