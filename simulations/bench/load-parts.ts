import { Scene, type SceneOptions } from './load-scene.ts'

/** What a part measured; `verified`: whether everybody was there who should be, and every round was committed. */
export type Measured = Record<string, unknown> & { readonly verified: boolean }

/** Measures the parts one after the other, or `only` one. */
export async function measureParts(
  only: unknown,
  parts: Readonly<Record<string, () => Promise<Measured>>>,
): Promise<Record<string, unknown>> {
  const result: Record<string, Measured> = {}
  for (const [name, measure] of Object.entries(parts)) if (only === undefined || only === name) result[name] = await measure()
  return { ...result, verified: Object.values(result).every(({ verified }) => verified) }
}

export async function within(options: SceneOptions, work: (scene: Scene) => Promise<Measured>): Promise<Measured> {
  const scene = await Scene.open(options)
  try {
    return await work(scene)
  } finally {
    await scene.close()
  }
}

export function megabytes(bytes: number): number {
  return rounded(bytes / 1e6)
}

/** To two places. */
export function rounded(value: number): number {
  return Number(value.toFixed(2))
}
