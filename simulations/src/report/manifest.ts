import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SimulationConfig } from '../engine/config.ts'

/** What it takes to get the same result again, and to see why another machine gets another one. */
export interface Manifest {
  readonly command: string
  readonly seed: number
  readonly config: SimulationConfig
  readonly modelHash: string
  readonly environment: {
    readonly 'data SHA-256': string
    readonly 'package-lock.json SHA-256': string
    readonly backend: string
    readonly workers: number
    readonly node: string
    readonly platform: string
    readonly processor: string
    readonly seconds: number
  }
}

export interface Circumstances {
  readonly command: string
  readonly dataHash: string
  readonly backend: string
  readonly workers: number
  readonly seconds: number
}

export async function manifestOf(
  config: SimulationConfig,
  modelHash: string,
  { command, dataHash, backend, workers, seconds }: Circumstances,
): Promise<Manifest> {
  return {
    command,
    seed: config.seed,
    config,
    modelHash,
    environment: {
      'data SHA-256': dataHash,
      'package-lock.json SHA-256': await lockfileHash(dirname(fileURLToPath(import.meta.url))),
      backend,
      workers,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model ?? 'unknown',
      seconds: Number(seconds.toFixed(1)),
    },
  }
}

/** Of the nearest lock file in this folder or above it, which pins every package. */
async function lockfileHash(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const bytes = await readFile(join(at, 'package-lock.json')).catch(() => undefined)
    if (bytes !== undefined) return createHash('sha256').update(bytes).digest('hex')
    if (at === dirname(at)) return 'none'
  }
}
