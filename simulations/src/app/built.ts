import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FedweaveError } from '@fedweave/aggregator'

const published = extname(import.meta.url) === '.js'
/** `npm run build` puts the app here; the published package brings it along. */
const BUILT = fileURLToPath(new URL(published ? '../../app' : '../../dist/app', import.meta.url))
const SOURCES = fileURLToPath(new URL('../../../docs/examples/draw-a-digit', import.meta.url))

/**
 * The folder of the built example app. In the checkout it is built first where it is missing or older than its sources. Throws
 * `FL_DEPENDENCY_MISSING` where it is neither there nor can be built.
 */
export async function builtApp(): Promise<string> {
  const built = await newestIn(BUILT)
  if (built > 0 && (published || built > (await newestIn(SOURCES)))) return BUILT
  try {
    const { buildApp } = (await import(pathToFileURL(join(SOURCES, 'build.js')).href)) as {
      buildApp(outDir: string): Promise<void>
    }
    await buildApp(BUILT)
  } catch (cause) {
    throw new FedweaveError('FL_DEPENDENCY_MISSING', `the app cannot be built: ${String(cause)}`, {
      cause,
      cure: 'Run `npm ci` and `npm run build` in the checkout, or install the package @fedweave/simulations again.',
    })
  }
  return BUILT
}

/** When the newest file below changed last, in Unix milliseconds; 0 where there is none. */
async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const times = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).mtimeMs))
  return Math.max(0, ...times)
}
