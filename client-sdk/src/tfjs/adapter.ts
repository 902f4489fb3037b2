import type { Adapter, GpuBackend } from './choose-backend.ts'

/** Names that emulations on the processor give themselves: Chromium's, Mesa's two, Windows' and macOS's. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i

/** The little of WebGPU that is used here; TypeScript's DOM library does not know it yet. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>
}
interface GpuAdapter {
  readonly info?: {
    readonly vendor: string
    readonly architecture: string
    readonly description: string
    readonly isFallbackAdapter?: boolean
  }
  /** Where browsers had it before `info`. */
  readonly isFallbackAdapter?: boolean
}

/** Where GPUs are asked for; tests hand in their own. */
export interface GpuSource {
  /** A canvas of its own for each call, or undefined where there are none. */
  canvas(): { getContext(kind: 'webgl2', options: WebGLContextAttributes): WebGL2RenderingContext | null } | undefined
  readonly gpu: Gpu | undefined
}

export const thisPlatform: GpuSource = {
  canvas: () =>
    typeof OffscreenCanvas === 'undefined' ? globalThis.document?.createElement('canvas') : new OffscreenCanvas(1, 1),
  get gpu() {
    return (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu
  },
}

/** The GPU that a backend would run on, or undefined where the platform has none for it. */
export function findAdapter(backend: GpuBackend, source: GpuSource = thisPlatform): Promise<Adapter | undefined> {
  return backend === 'webgl' ? webglAdapter(source) : webgpuAdapter(source)
}

async function webglAdapter(source: GpuSource): Promise<Adapter | undefined> {
  const gl = source.canvas()?.getContext('webgl2', {})
  if (!gl) return undefined
  const unmasked = gl.getExtension('WEBGL_debug_renderer_info')
  const renderer = String(gl.getParameter(unmasked?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER))
  release(gl)
  if (SOFTWARE.test(renderer)) return { renderer, software: true }
  // Browsers that hide the renderer's name still refuse this where drawing would be slow.
  const fast = source.canvas()?.getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  if (!fast) return { renderer, software: true }
  release(fast)
  return { renderer, software: false }
}

/** Browsers keep only a few contexts, and drop the oldest beyond that. */
function release(gl: WebGL2RenderingContext): void {
  gl.getExtension('WEBGL_lose_context')?.loseContext()
}

async function webgpuAdapter({ gpu }: GpuSource): Promise<Adapter | undefined> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) return undefined
  const { info } = adapter
  const renderer = [info?.vendor, info?.architecture, info?.description].filter(Boolean).join(' ') || 'unnamed'
  const fallback = info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false
  return { renderer, software: fallback || SOFTWARE.test(renderer) }
}
