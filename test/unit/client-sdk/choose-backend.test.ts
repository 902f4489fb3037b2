import { FedweaveError } from '@fedweave/aggregator'
import { describe, expect, it } from 'vitest'
import {
  type Adapter,
  type BackendPlatform,
  chooseBackend,
  type GpuBackend,
  type Probe,
} from '../../../client-sdk/src/tfjs/choose-backend.ts'

type Gpu = Adapter & { readonly probe: Probe | Error; readonly starts?: boolean; readonly startsAgain?: boolean }

const losses = [2.3, 2.2, 2.1, 2]
const real = (stepMs: number, change: Partial<Gpu> = {}): Gpu => ({
  renderer: 'NVIDIA GeForce',
  software: false,
  probe: { stepMs, losses: losses.map((loss) => loss * 1.0001) },
  ...change,
})

/** A machine with these GPUs whose wasm backend takes 15 ms a step; `log` holds what was done to it. */
function machine(gpus: Partial<Record<GpuBackend, Gpu>>) {
  const log: string[] = []
  const starts: string[] = []
  let active = 'cpu'
  const platform: BackendPlatform = {
    async adapter(backend) {
      return gpus[backend]
    },
    async startWasm() {
      active = 'wasm'
      log.push('wasm')
      return { simd: true, kernels: 'wasm-simd' }
    },
    async startGpu(backend) {
      const { starts: first = true, startsAgain = true } = gpus[backend] as Gpu
      const works = starts.includes(backend) ? startsAgain : first
      starts.push(backend)
      log.push(`${backend}${works ? '' : ' fails'}`)
      if (works) active = backend
      return works
    },
    stopGpu: (backend) => void log.push(`stop ${backend}`),
    async probe() {
      log.push(`probe ${active}`)
      const result = active === 'wasm' ? { stepMs: 15, losses } : (gpus[active as GpuBackend] as Gpu).probe
      if (result instanceof Error) throw result
      return result
    },
  }
  return { platform, log, active: () => active }
}

async function choice(gpus: Partial<Record<GpuBackend, Gpu>>, allowSoftware = false) {
  const { platform, log, active } = machine(gpus)
  const backend = await chooseBackend(platform, allowSoftware)
  expect(active()).toBe(backend.name)
  return { backend, log }
}

describe('chooseBackend', () => {
  it('takes wasm where there is no GPU, and trains nothing to find out', async () => {
    const { backend, log } = await choice({})
    expect(backend).toEqual({ name: 'wasm', simd: true, kernels: 'wasm-simd', reason: 'no GPU to train on here' })
    expect(log).toEqual(['wasm'])
  })

  it('refuses an emulated GPU without starting it, and names its renderer', async () => {
    const { backend, log } = await choice({ webgl: real(1, { software: true, renderer: 'SwiftShader' }) })
    expect(backend).toMatchObject({ name: 'wasm', reason: 'webgl is emulated in software (SwiftShader)' })
    expect(log).toEqual(['wasm'])
  })

  it('lets an emulated GPU compete where that is allowed', async () => {
    const { backend } = await choice({ webgl: real(5, { software: true }) }, true)
    expect(backend).toMatchObject({ name: 'webgl', kernels: 'stock' })
  })

  it('takes a real GPU that is faster, and says by how much', async () => {
    const { backend, log } = await choice({ webgl: real(4) })
    const reason = 'wasm takes 15.0 ms for a training step; webgl takes 4.0 ms'
    expect(backend).toEqual({ name: 'webgl', simd: true, kernels: 'stock', reason })
    expect(log).toEqual(['wasm', 'probe wasm', 'webgl', 'probe webgl', 'webgl'])
  })

  it('leaves a real GPU that is slower or as fast, and frees it', async () => {
    for (const ms of [15, 31]) {
      const { backend, log } = await choice({ webgl: real(ms) })
      expect(backend).toMatchObject({ name: 'wasm', kernels: 'wasm-simd' })
      expect(backend.reason).toBe(`wasm takes 15.0 ms for a training step; webgl takes ${ms}.0 ms`)
      expect(log.slice(-2)).toEqual(['stop webgl', 'wasm'])
    }
  })

  it.each<[GpuBackend, number, number]>([
    ['webgpu', 3, 4],
    ['webgl', 4, 3],
  ])('takes the fastest of several, %s, and frees the other', async (name, webgpu, webgl) => {
    const { backend, log } = await choice({ webgpu: real(webgpu), webgl: real(webgl) })
    expect(backend.name).toBe(name)
    expect(log.filter((line) => line.startsWith('stop'))).toEqual([`stop ${name === 'webgl' ? 'webgpu' : 'webgl'}`])
  })

  it('refuses a GPU that computes other losses, however fast', async () => {
    const wrong: Probe = { stepMs: 1, losses: [2.3, 2.2, 2.1, 2.01] }
    const { backend, log } = await choice({ webgl: real(1, { probe: wrong }) })
    expect(backend).toMatchObject({ name: 'wasm', reason: expect.stringMatching(/; webgl computes wrong$/) })
    expect(log.slice(-2)).toEqual(['stop webgl', 'wasm'])
    const zeros: Probe = { stepMs: 1, losses: [Number.NaN, Number.NaN, Number.NaN, Number.NaN] }
    expect((await choice({ webgl: real(1, { probe: zeros }) })).backend.name).toBe('wasm')
  })

  it('goes on to the next GPU when one does not start or fails in training', async () => {
    const { backend, log } = await choice({ webgpu: real(1, { starts: false }), webgl: real(4) })
    expect(backend).toMatchObject({ name: 'webgl', reason: expect.stringContaining('; webgpu does not start; ') })
    expect(log).toContain('stop webgpu')
    const failing = await choice({ webgpu: real(4), webgl: real(1, { probe: new Error('no kernel') }) })
    expect(failing.backend).toMatchObject({ name: 'webgpu', reason: expect.stringMatching(/; webgl cannot train: no kernel$/) })
  })

  it('ends on wasm when the winner does not start a second time', async () => {
    const { backend } = await choice({ webgl: real(4, { startsAgain: false }) })
    expect(backend).toMatchObject({
      name: 'wasm',
      kernels: 'wasm-simd',
      reason: expect.stringMatching(/webgl did not start again$/),
    })
  })

  it('fails where wasm does not start, whatever GPU there is', async () => {
    const { platform, log } = machine({ webgl: real(1) })
    const missing = new FedweaveError('FL_DEPENDENCY_MISSING', 'no wasm')
    await expect(chooseBackend({ ...platform, startWasm: () => Promise.reject(missing) }, false)).rejects.toBe(missing)
    expect(log).toEqual([])
  })
})
