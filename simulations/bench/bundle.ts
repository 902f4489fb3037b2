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

/** Most bytes, gzipped, of what a page loads of the client at once, and of what the worker loads that speaks the protocol. */
export const MOST_BYTES = 45_000
export const MOST_SESSION_BYTES = 62_000
/** Most bytes, gzipped, of the example app until it shows the task, fonts and that worker included. */
export const MOST_FIRST_VIEW_BYTES = 150_000

const CLIENT = fileURLToPath(new URL('../../client-sdk/src', import.meta.url))
const ENTRY = join(CLIENT, 'browser/index.ts')

/**
 * Bundles the sources as an app's bundler would. `gzippedBytes`: what a page loads at once; `sessionBytes`: what the worker loads
 * that speaks the protocol; `workerBytes`: what the worker loads that trains, beside TensorFlow.js, one of the kernels' variants
 * included; `firstViewBytes`: all of the example app until it shows the task. `importMs` and
 * `importCpuMs`: importing the entry for Node, with its packages as they are installed. `tfjsLoaded`: whether that
 * loaded TensorFlow.js.
 */
export async function run(options: Record<string, unknown>): Promise<Record<string, unknown>> {
  const runs = integerOption('runs', options.runs, 1, 100)
  const sizes = await pageSizes()
  const { importMs, importCpuMs, tfjsLoaded } = await importInNode(runs)
  const firstView = await firstViewBytes()
  const verified =
    sizes.gzippedBytes <= MOST_BYTES &&
    sizes.sessionBytes <= MOST_SESSION_BYTES &&
    firstView <= MOST_FIRST_VIEW_BYTES &&
    !tfjsLoaded
  return {
    ...sizes,
    mostBytes: MOST_BYTES,
    firstViewBytes: firstView,
    mostFirstViewBytes: MOST_FIRST_VIEW_BYTES,
    importMs,
    importCpuMs,
    runs,
    tfjsLoaded,
    verified,
  }
}

/** Gzipped bytes of what a page loads at once, and of what its two workers load. */
export async function pageSizes(): Promise<Sizes> {
  const [page, session, worker] = [await chunksOf(ENTRY), await chunksOf(SESSION), await chunksOf(TRAINER)]
  return {
    gzippedBytes: bytesOf(closure(page, ({ isEntry }) => isEntry)),
    sessionBytes: bytesOf(session),
    workerBytes: bytesOf(worker.filter(({ fileName }) => !OTHER_VARIANT.test(fileName))),
  }
}

/** Gzipped bytes of all that the example app loads until it shows the task; of its fonts the Latin ones. */
export async function firstViewBytes(): Promise<number> {
  const output = await bundle({ root: APP, configFile: join(APP, 'vite.config.ts') })
  const page = output.filter((file) => (file.type === 'chunk' && file.isEntry) || FIRST_FILES.test(file.fileName))
  const reader = closure(await chunksOf(SESSION), ({ isEntry, name }) => isEntry || name === 'read-task')
  return bytesOf(page) + bytesOf(reader)
}

const SESSION = join(CLIENT, 'browser/session.worker.ts')
const TRAINER = join(CLIENT, 'worker/web.worker.ts')
const APP = fileURLToPath(new URL('../../docs/examples/draw-a-digit', import.meta.url))
const FIRST_FILES = /\.(html|css|svg)$|latin-(400|wght)-\w+-[\w-]{8}\.woff2$/
/** A training worker loads one variant of the kernels. */
const OTHER_VARIANT = /relaxed|simd-shared/

type OutputFile = Rolldown.RolldownOutput['output'][number]
type Chunk = Extract<OutputFile, { type: 'chunk' }>

interface Sizes {
  readonly gzippedBytes: number
  readonly sessionBytes: number
  readonly workerBytes: number
}

/** The chunks of a module and of all that it imports but TensorFlow.js, as an app's bundler makes them. */
async function chunksOf(input: string): Promise<readonly Chunk[]> {
  const external = [/^@tensorflow\//]
  const output = await bundle({
    resolve: { conditions: ['source', 'module', 'browser', 'default'] },
    worker: { format: 'es', rolldownOptions: { external } },
    build: { modulePreload: false, rolldownOptions: { input, external, preserveEntrySignatures: 'strict' } },
  })
  return output.filter((file) => file.type === 'chunk')
}

/** Those chunks, and what they load with them. */
function closure(chunks: readonly Chunk[], wanted: (chunk: Chunk) => boolean): readonly Chunk[] {
  const found = new Set(chunks.filter(wanted))
  for (const { imports } of found) for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk)
  return [...found]
}

function bytesOf(files: readonly OutputFile[]): number {
  return files.reduce((total, file) => total + gzipSync(file.type === 'chunk' ? file.code : file.source).length, 0)
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
