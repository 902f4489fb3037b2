import { type InstalledKernels, installKernels, type KernelOptions } from '@fedweave/client/kernels'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm' // registers the backend
import fc from 'fast-check'
import { expect } from 'vitest'

/** Difference allowed between a kernel and the cpu backend, relative to the largest value of the results. */
const TOLERANCE = 2e-5

export async function useKernels(options: KernelOptions): Promise<InstalledKernels> {
  await tf.setBackend('wasm')
  return installKernels(options)
}

/** Runs `compute` on the cpu and on the wasm backend: equal shapes, close values, and no memory kept by the kernels. */
export async function expectSameOnBoth(compute: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  await tf.setBackend('cpu')
  const expected = results(compute)
  await tf.setBackend('wasm')
  const before = tf.engine().backend.numDataIds()
  const actual = results(compute)
  expect(tf.engine().backend.numDataIds() - before, 'tensors left on the heap').toBe(0)
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
  const scale = largest(expected.flatMap(({ values }) => values))
  expected.forEach(({ values }, i) => {
    const differences = values.map((value, j) => value - (actual[i]?.values[j] as number))
    expect(largest(differences), `result ${i}`).toBeLessThanOrEqual(TOLERANCE * scale)
  })
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function results(compute: () => tf.Tensor | tf.Tensor[]): { shape: number[]; values: number[] }[] {
  return tf.tidy(() => {
    const made = compute()
    return (Array.isArray(made) ? made : [made]).map((tensor) => ({ shape: tensor.shape, values: [...tensor.dataSync()] }))
  }) as never // tidy's type knows tensors only
}

/** `coarse`: multiples of 1/2, so that windows have ties. `negative`: no positive value anywhere. */
export type Noise = 'smooth' | 'coarse' | 'negative'
export const noise = fc.constantFrom<Noise>('smooth', 'coarse', 'negative')

/** A tensor of reproducible values in [-2, 2). */
export function noisy(shape: number[], seed: number, kind: Noise = 'smooth'): tf.Tensor {
  let state = seed | 0
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0 // Numerical Recipes' ranqd1
    const value = ((state >>> 8) / 2 ** 24) * 4 - 2
    if (kind === 'coarse') return Math.round(value * 2) / 2
    return kind === 'negative' ? -Math.abs(value) - 0.01 : value
  })
  return tf.tensor(values, shape)
}

export const seed = fc.integer()
