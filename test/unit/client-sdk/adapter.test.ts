import { describe, expect, it } from 'vitest'
import { findAdapter, type GpuSource } from '../../../client-sdk/src/tfjs/adapter.ts'

const UNMASKED = 0x9246
const RENDERER = 0x1f01

/** A browser whose WebGL names these renderers; `released` counts the contexts that were given back. */
function browser(names: { readonly masked: string; readonly unmasked?: string; readonly caveat?: boolean } | undefined) {
  const counts = { made: 0, released: 0 }
  const context = {
    RENDERER,
    getParameter: (name: number) => (name === UNMASKED ? names?.unmasked : names?.masked),
    getExtension(name: string) {
      if (name === 'WEBGL_lose_context') return { loseContext: () => counts.released++ }
      return name === 'WEBGL_debug_renderer_info' && names?.unmasked ? { UNMASKED_RENDERER_WEBGL: UNMASKED } : null
    },
  } as unknown as WebGL2RenderingContext
  const source: GpuSource = {
    canvas: () => ({
      getContext(_kind, { failIfMajorPerformanceCaveat = false }) {
        if (names === undefined || (failIfMajorPerformanceCaveat && names.caveat)) return null
        counts.made++
        return context
      },
    }),
    gpu: undefined,
  }
  return { source, counts }
}

const webgpu = (adapter: object | null): GpuSource => ({
  canvas: () => undefined,
  gpu: { requestAdapter: async () => adapter },
})

describe('a WebGL adapter', () => {
  it.each([
    'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)',
    'Google SwiftShader',
    'llvmpipe (LLVM 15.0.6, 256 bits)',
    'ANGLE (Mesa, llvmpipe (LLVM 17.0.6 256 bits), OpenGL 4.5)',
    'softpipe',
    'ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0, D3D11)',
    'Apple Software Renderer',
  ])('is emulated in software: %s', async (unmasked) => {
    const { source } = browser({ masked: 'WebKit WebGL', unmasked })
    expect(await findAdapter('webgl', source)).toEqual({ renderer: unmasked, software: true })
  })

  it.each([
    'ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0, D3D11)',
    'ANGLE (Apple, ANGLE Metal Renderer: Apple M1, Unspecified Version)',
    'Mesa Intel(R) UHD Graphics 620 (KBL GT2)',
    'Adreno (TM) 640',
    'Mali-G78',
  ])('is real: %s', async (unmasked) => {
    const { source } = browser({ masked: 'WebKit WebGL', unmasked })
    expect(await findAdapter('webgl', source)).toEqual({ renderer: unmasked, software: false })
  })

  it('with a hidden name is judged by whether the browser thinks it slow', async () => {
    const judged = async (caveat: boolean) => findAdapter('webgl', browser({ masked: 'Mozilla', caveat }).source)
    expect(await judged(true)).toEqual({ renderer: 'Mozilla', software: true })
    expect(await judged(false)).toEqual({ renderer: 'Mozilla', software: false })
  })

  it('is not there without WebGL 2 or without a canvas', async () => {
    expect(await findAdapter('webgl', browser(undefined).source)).toBeUndefined()
    expect(await findAdapter('webgl', { canvas: () => undefined, gpu: undefined })).toBeUndefined()
    expect(await findAdapter('webgl')).toBeUndefined() // in Node
  })

  it('is asked through contexts that are all given back', async () => {
    const { source, counts } = browser({ masked: 'Adreno (TM) 640' })
    await findAdapter('webgl', source)
    expect(counts).toEqual({ made: 2, released: 2 })
  })
})

describe('a WebGPU adapter', () => {
  const info = { vendor: 'nvidia', architecture: 'ampere', description: '' }

  it('is what it says about itself', async () => {
    expect(await findAdapter('webgpu', webgpu({ info }))).toEqual({ renderer: 'nvidia ampere', software: false })
    expect(await findAdapter('webgpu', webgpu({}))).toEqual({ renderer: 'unnamed', software: false })
  })

  it('is emulated when it is a fallback, where old and new browsers say so, or by its name', async () => {
    const software = async (adapter: object) => (await findAdapter('webgpu', webgpu(adapter)))?.software
    expect(await software({ info, isFallbackAdapter: true })).toBe(true)
    expect(await software({ info: { ...info, isFallbackAdapter: true } })).toBe(true)
    expect(await software({ info: { ...info, isFallbackAdapter: false }, isFallbackAdapter: true })).toBe(false)
    expect(await software({ info: { vendor: 'google', architecture: 'swiftshader', description: '' } })).toBe(true)
  })

  it('is not there where the browser has none to give', async () => {
    expect(await findAdapter('webgpu', webgpu(null))).toBeUndefined()
    expect(await findAdapter('webgpu', { canvas: () => undefined, gpu: undefined })).toBeUndefined()
  })
})
