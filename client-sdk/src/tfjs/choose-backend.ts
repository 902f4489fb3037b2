/** TensorFlow.js's backends on a GPU, the likelier winner first. WebGPU's is a package of its own, that the app imports. */
export const GPU_BACKENDS = ['webgpu', 'webgl'] as const
export type GpuBackend = (typeof GPU_BACKENDS)[number]

export interface Backend {
  readonly name: 'wasm' | GpuBackend
  /** Whether this engine runs SIMD code; without it training on `wasm` is right but several times slower. */
  readonly simd: boolean
  /**
   * `wasm-simd`: native training kernels; `ops`: the same gradients put together from TensorFlow.js ops; `stock`: those of
   * TensorFlow.js for the GPU.
   */
  readonly kernels: 'wasm-simd' | 'ops' | 'stock'
  /** Why this one and no other: what was refused, what was measured. */
  readonly reason: string
}

/** What the platform says about a GPU before TensorFlow.js starts on it. */
export interface Adapter {
  readonly renderer: string
  /** Whether the processor emulates it. */
  readonly software: boolean
}

/** A few training steps on one model and batch, the same on every backend. */
export interface Probe {
  /** Median over the steps, without the first, which compiles shaders. */
  readonly stepMs: number
  /** Loss before each step. */
  readonly losses: readonly number[]
}

/** What choosing needs of the platform; tests hand in their own. */
export interface BackendPlatform {
  /** Undefined where there is no such GPU, or no such backend in this build of TensorFlow.js. */
  adapter(backend: GpuBackend): Promise<Adapter | undefined>
  /** Makes the wasm backend with our kernels the active one. Throws `FL_DEPENDENCY_MISSING`, with the one before set again. */
  startWasm(): Promise<Pick<Backend, 'simd' | 'kernels'>>
  /** Makes it the active one; false where it does not start, or computes with half precision: then the one before is set again. */
  startGpu(backend: GpuBackend): Promise<boolean>
  /** Frees a backend that is not wanted. */
  stopGpu(backend: GpuBackend): void
  /** Trains on the active backend. */
  probe(): Promise<Probe>
}

/** Largest relative difference of two losses that rounding explains; a GPU beyond it computes wrong. */
const TOLERANCE = 1e-3

/**
 * Takes WebAssembly with our kernels, unless a GPU that is no emulation trains right and faster. `allowSoftware` lets
 * emulations compete too. The chosen backend is active when the promise resolves. Throws `FL_DEPENDENCY_MISSING`.
 */
export async function chooseBackend(platform: BackendPlatform, allowSoftware: boolean): Promise<Backend> {
  const wasm = { name: 'wasm', ...(await platform.startWasm()) } as const
  const reasons: string[] = []
  const eligible: GpuBackend[] = []
  for (const gpu of GPU_BACKENDS) {
    const adapter = await platform.adapter(gpu)
    if (adapter === undefined) continue
    if (adapter.software && !allowSoftware) reasons.push(`${gpu} is emulated in software (${adapter.renderer})`)
    else eligible.push(gpu)
  }
  if (eligible.length === 0) return { ...wasm, reason: reasons.join('; ') || 'no GPU to train on here' }

  const baseline = await platform.probe()
  reasons.push(`wasm takes ${baseline.stepMs.toFixed(1)} ms for a training step`)
  let fastest: { readonly name: 'wasm' | GpuBackend; readonly stepMs: number } = { name: 'wasm', stepMs: baseline.stepMs }
  for (const gpu of eligible) {
    const { refusal, stepMs } = await tryGpu(platform, gpu, baseline)
    reasons.push(refusal ?? `${gpu} takes ${stepMs.toFixed(1)} ms`)
    const loser = refusal === undefined && stepMs < fastest.stepMs ? fastest.name : gpu
    if (loser !== gpu) fastest = { name: gpu, stepMs }
    if (loser !== 'wasm') platform.stopGpu(loser)
  }
  const reason = reasons.join('; ')
  if (fastest.name !== 'wasm') {
    if (await platform.startGpu(fastest.name)) return { name: fastest.name, simd: wasm.simd, kernels: 'stock', reason }
    reasons.push(`${fastest.name} did not start again`)
  }
  return { ...wasm, ...(await platform.startWasm()), reason: reasons.join('; ') }
}

async function tryGpu(
  platform: BackendPlatform,
  gpu: GpuBackend,
  { losses }: Probe,
): Promise<{ readonly refusal: string | undefined; readonly stepMs: number }> {
  const refuse = (why: string) => ({ refusal: `${gpu} ${why}`, stepMs: Number.POSITIVE_INFINITY })
  try {
    if (!(await platform.startGpu(gpu))) return refuse('does not start')
    const probe = await platform.probe()
    const right = probe.losses.every((loss, i) => Math.abs(loss - (losses[i] as number)) <= TOLERANCE * (losses[i] as number))
    return right ? { refusal: undefined, stepMs: probe.stepMs } : refuse('computes wrong')
  } catch (error) {
    return refuse(`cannot train: ${error instanceof Error ? error.message : String(error)}`)
  }
}
