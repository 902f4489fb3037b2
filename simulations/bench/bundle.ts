import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import type { InlineConfig, Rolldown } from 'vite'
import { integerOption } from '../src/commands/output.ts'

export const command = new Command('bundle')
  .description('size of the client in a page, without TensorFlow.js, and the time to import it in Node')
  .option('--runs <n>', 'imports in a fresh process each; the fastest counts', '5')

/** Most bytes, gzipped, of what a page loads to take part, TensorFlow.js and the training worker apart. */
export const MOST_BYTES = 45_000

const CLIENT = fileURLToPath(new URL('../../client-sdk/src', import.meta.url))
const ENTRY = join(CLIENT, 'bench-entry.js') // not a file: its text is below

/** What a page needs: the client, its ways to the server, and the host of the training worker. */
const PAGE = `
export { TaskClient } from './client.ts'
export { memoryStore } from './storage/memory.ts'
export { socketTransport } from './transport/socket.ts'
export { webWorkerTrainer } from './worker/web-host.ts'
export { naclCurves, noblePrg } from '@fedweave/aggregator'
`

/**
 * Bundles the sources as an app's bundler would. `gzippedBytes`: what a page loads at once; `laterBytes`: what it loads
 * when it needs it. `workerBytes`: what the worker loads with the first round beside TensorFlow.js, one of the kernels' variants included. `importMs` and
 * `importCpuMs`: importing the entry for Node, with its packages as they are installed. `tfjsLoaded`: whether that
 * loaded TensorFlow.js.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const runs = integerOption('runs', options.runs, 1, 100)
  const sizes = await pageSizes()
  const { importMs, importCpuMs, tfjsLoaded } = await importInNode(runs)
  const verified = sizes.gzippedBytes <= MOST_BYTES && !tfjsLoaded
  return { ...sizes, mostBytes: MOST_BYTES, importMs, importCpuMs, runs, tfjsLoaded, verified }
}

/** Gzipped bytes of what a page loads at once, of what it loads when it needs it, and of the worker's part. */
export async function pageSizes(): Promise<Sizes> {
  const conditions = ['source', 'module', 'browser', 'default']
  const external = [/^@tensorflow\//]
  const output = await bundle({
    resolve: { conditions },
    worker: { format: 'es', rolldownOptions: { external } },
    plugins: [
      {
        name: 'bench-entry',
        resolveId: (id) => (id === ENTRY ? id : undefined),
        load: (id) => (id === ENTRY ? PAGE : undefined),
      },
    ],
    build: { modulePreload: false, rolldownOptions: { input: ENTRY, external, preserveEntrySignatures: 'strict' } },
  })
  const sizeOf = (file: OutputFile) => gzipSync(file.type === 'chunk' ? file.code : file.source).length
  const sum = (files: readonly OutputFile[]) => files.reduce((total, file) => total + sizeOf(file), 0)
  const chunks = output.filter((file) => file.type === 'chunk')
  const atOnce = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName))
  for (const name of atOnce)
    for (const other of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) atOnce.add(other)
  const otherVariant = /relaxed|simd-shared/ // a worker loads one variant
  return {
    gzippedBytes: sum(chunks.filter(({ fileName }) => atOnce.has(fileName))),
    laterBytes: sum(chunks.filter(({ fileName }) => !atOnce.has(fileName))),
    workerBytes: sum(output.filter(({ type, fileName }) => type === 'asset' && !otherVariant.test(fileName))),
  }
}

type OutputFile = Rolldown.RolldownOutput['output'][number]

interface Sizes {
  readonly gzippedBytes: number
  readonly laterBytes: number
  readonly workerBytes: number
}

const IMPORT = `
import { createRequire } from 'node:module'
const cpu = process.cpuUsage()
const start = performance.now()
await import(process.argv[1])
const importMs = performance.now() - start
const { user, system } = process.cpuUsage(cpu)
const tfjsLoaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('@tensorflow'))
console.log(JSON.stringify({ importMs, importCpuMs: (user + system) / 1000, tfjsLoaded }))
process.exit()
`

interface Import {
  readonly importMs: number
  readonly importCpuMs: number
  readonly tfjsLoaded: boolean
}

async function importInNode(runs: number): Promise<Import> {
  const conditions = ['source', 'module', 'node', 'default']
  const output = await bundle({
    resolve: { conditions },
    ssr: { noExternal: [/^@fedweave\//], resolve: { conditions } },
    build: { ssr: join(CLIENT, 'node/index.ts'), target: 'node20', minify: false },
  })
  const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url)) // so that packages are found from there
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'fedweave-bundle-'))
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    for (const file of output) {
      await mkdir(join(folder, file.fileName, '..'), { recursive: true })
      await writeFile(join(folder, file.fileName), file.type === 'chunk' ? file.code : file.source)
    }
    const entry = output.find((file) => file.type === 'chunk' && file.isEntry)?.fileName as string
    const imports = Array.from({ length: runs }, () => importOnce(join(folder, entry)))
    return {
      importMs: round(Math.min(...imports.map(({ importMs }) => importMs))),
      importCpuMs: round(Math.min(...imports.map(({ importCpuMs }) => importCpuMs))),
      tfjsLoaded: imports.some(({ tfjsLoaded }) => tfjsLoaded),
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function importOnce(path: string): Import {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', IMPORT, path], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`importing the client failed: ${stderr}`)
  return JSON.parse(stdout) as Import
}

async function bundle(config: InlineConfig): Promise<readonly OutputFile[]> {
  const { build } = await import('vite')
  const common: InlineConfig = { root: CLIENT, configFile: false, logLevel: 'error' }
  const built = await build({ ...common, ...config, build: { ...config.build, write: false } })
  return (built as Rolldown.RolldownOutput).output
}

function round(ms: number): number {
  return Number(ms.toFixed(1))
}
